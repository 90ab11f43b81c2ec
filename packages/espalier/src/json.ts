/** What a journal line, an architecture or a snapshot may hold. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
