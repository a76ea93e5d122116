// The columns of ServiceAccounts.

import type { Column } from '../kind.ts';
import type { ServiceAccount } from '../types.ts';
import { age, count } from './column.ts';

export const serviceAccountColumns: readonly Column<ServiceAccount>[] = [
  count('Secrets', 'How many secrets the account lists.', ({ secrets }) => secrets?.length ?? 0),
  age,
];
