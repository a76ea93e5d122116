import t from 'tap';
import { createMemoryStore } from '../../src/store/index.ts';
import { storeContract } from '../contract/store.ts';

storeContract(t, () => createMemoryStore());
