// The columns of ServiceAccounts.

import type { Column } from '../kind.ts';
import type { ServiceAccount } from '../types.ts';
import { age, text } from './column.ts';

export const serviceAccountColumns: readonly Column<ServiceAccount>[] = [
  text('Secrets', 'How many secrets the account lists.', ({ secrets }) => secrets?.length ?? 0),
  age,
];
