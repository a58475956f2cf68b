/**
 * Text of tasks and agents made safe to show (13-R2): no control character reaches a terminal or a note. Never shortens.
 */
// Escape sequences whole (CSI, OSC, DCS, PM, APC, and two-character ones), so that no argument of one is left as text.
const SEQUENCE = /\u001B(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\u0007\u001B\u009C]*(?:\u0007|\u001B\\|\u009C)?|[@-Z\\-_])|\u009B[0-?]*[ -/]*[@-~]/g;
// Everything else that moves the cursor or turns the direction of writing; new lines and tabs stay.
const CONTROL = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u200E\u200F\u202A-\u202E\u2066-\u2069]/g;
const BIDI = /[\u200E\u200F\u202A-\u202E\u2066-\u2069]/;

export function plainText(text: string): string {
  return text.replaceAll('\r\n', '\n').replaceAll(SEQUENCE, '').replaceAll(CONTROL, (character) => (BIDI.test(character) ? '\u00B7' : ''));
}
