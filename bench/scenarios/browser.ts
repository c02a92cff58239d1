// What a browser sends: fifteen headers, about 800 bytes, cookies.

import { httpLoad } from '../drivers/http.ts';
import { defineScenario } from '../scenario.ts';
import { plainRoute, siteOf } from '../site.ts';

export const browserHeaders: Readonly<Record<string, string>> = {
  Host: 'shop.example.com',
  'User-Agent':
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36',
  Accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8',
  'Accept-Language': 'en-GB,en;q=0.9,de;q=0.8',
  'Accept-Encoding': 'gzip, deflate, br, zstd',
  Referer: 'http://shop.example.com/catalogue/shoes?page=2',
  'Cache-Control': 'max-age=0',
  'Upgrade-Insecure-Requests': '1',
  'Sec-Fetch-Site': 'same-origin',
  'Sec-Fetch-Mode': 'navigate',
  'Sec-Fetch-Dest': 'document',
  'Sec-CH-UA': '"Chromium";v="142", "Not A(Brand";v="24"',
  'Sec-CH-UA-Platform': '"Linux"',
  DNT: '1',
  Cookie: 'session=4f1c2b9a7d6e4c0f8a3b; theme=dark; lang=en; consent=yes; cart=17; seen=a1.b2.c3.d4.e5.f6',
};

export const browser = defineScenario({
  name: 'browser',
  summary: 'a browser-like request: 15 headers, about 800 bytes, cookies',
  cases: [
    {
      name: '',
      site: siteOf([plainRoute]),
      load: httpLoad({ requests: [{ path: '/plain', headers: browserHeaders }], isSmall: true }),
    },
  ],
});
