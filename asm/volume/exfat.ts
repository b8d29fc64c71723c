/** exFAT, as far as savecore needs it: format, mount, add one contiguous file, take one back. */
export * from './exfat/codes';
export * from './exfat/format';
export * from './exfat/mount';
export * from './exfat/add';
export * from './exfat/undo';
