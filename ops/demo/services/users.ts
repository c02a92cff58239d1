// The auth service's users: SQLite in a folder of their own, passwords as scrypt hashes.

import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

export interface User {
  readonly id: number;
  readonly email: string;
  readonly username: string;
  readonly role: string;
}

export interface UserStore {
  /** The new user, or null when the address is taken. */
  add(email: string, password: string, role: string): Promise<User | null>;
  /** The user when the password is right, else null. Takes as long for an unknown address. */
  check(email: string, password: string): Promise<User | null>;
  /** Null when unknown. */
  byId(id: number): User | null;
  close(): void;
}

const hashBytes = 32;

/** Opens an empty store in a new temporary folder; `close` removes it. */
export function openUserStore(): UserStore {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-demo-'));
  const database = new DatabaseSync(join(folder, 'users.sqlite'));
  database.exec(`CREATE TABLE users (
    id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, username TEXT NOT NULL, role TEXT NOT NULL,
    salt BLOB NOT NULL, hash BLOB NOT NULL)`);
  const insert = database.prepare(
    'INSERT INTO users (email, username, role, salt, hash) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
  );
  const byEmail = database.prepare('SELECT * FROM users WHERE email = ?');
  const byId = database.prepare('SELECT * FROM users WHERE id = ?');
  const nobodySalt = randomBytes(16);

  return {
    async add(email, password, role) {
      const salt = randomBytes(16);
      const hash = await derive(password, salt);
      const username = email.split('@')[0] ?? email;
      const { changes, lastInsertRowid } = insert.run(email, username, role, salt, hash);
      return changes === 0 ? null : { id: Number(lastInsertRowid), email, username, role };
    },
    async check(email, password) {
      const row = byEmail.get(email);
      const hash = await derive(password, (row?.['salt'] as Uint8Array | undefined) ?? nobodySalt);
      return row !== undefined && timingSafeEqual(hash, row['hash'] as Uint8Array) ? toUser(row) : null;
    },
    byId(id) {
      const row = byId.get(id);
      return row === undefined ? null : toUser(row);
    },
    close() {
      database.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function derive(password: string, salt: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password, salt, hashBytes, (error, key) => (error === null ? resolve(key) : reject(error)));
  });
}

function toUser(row: Readonly<Record<string, unknown>>): User {
  return {
    id: Number(row['id']),
    email: String(row['email']),
    username: String(row['username']),
    role: String(row['role']),
  };
}
