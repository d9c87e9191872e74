import { en } from "./en";

/** Every text of the page. Another language is another object of this shape. */
export type Texts = typeof en;
export const texts: Texts = en;
