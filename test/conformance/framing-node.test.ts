// Where a request ends: thousands of hostile requests to the node engine, before a server that reads nothing twice.

import { hostileRequestsTo } from '../support/framing/suite.ts';

hostileRequestsTo('node');
