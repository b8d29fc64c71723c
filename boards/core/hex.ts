/** A number in hexadecimal digits, without 0x. */
export const hexOf = (value: number, digits = 8): string => value.toString(16).padStart(digits, '0');
