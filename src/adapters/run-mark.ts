/** The variable that every process of a run carries (5.3-R3), in a file of its own: whoever only looks for it loads nothing else. */
export const MARK = 'TODONE_RUN';
