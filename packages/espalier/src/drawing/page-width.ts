/** The width of a report on a screen that is wide enough for it, with the margins, in px. */
export const pageWidth = 1160;

/** Space at the left and at the right of a page. */
export const pagePadding = 24;

/** Space between a picture and its frame. */
export const figurePadding = 8;

/** How wide a picture may be, in px, so that a page shows it unscaled in a window of 1,200 px. */
export const pictureRoom = pageWidth - 2 * (pagePadding + figurePadding + 1);

/** How wide a table may be, in px, so that nothing of it is cut off in such a window. */
export const tableRoom = pageWidth - 2 * (pagePadding + 1);
