// Reading the file that --config names, and laying flags over what it says.

import { readFile } from 'node:fs/promises';
import { CodedError, messageOf } from '../base/index.ts';

/** @throws CodedError CONFIG_UNREADABLE */
export async function readConfigFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new CodedError('CONFIG_UNREADABLE', `${path} cannot be read: ${messageOf(error)}`, {
      exit: 'invalidInput',
      hint: 'check the path; k8ts config print init shows what a file may hold',
    });
  }
}

/** `fields` without those that are undefined. */
export function given<T extends object>(fields: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;
}
