import { esDO, type Texts } from './es-DO';

/** The texts in use. */
export const t: Texts = esDO;
