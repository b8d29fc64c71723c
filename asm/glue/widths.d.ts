// AssemblyScript's integer types, so that a layout file which states its widths also compiles as TypeScript.
type i8 = number;
type u8 = number;
type i16 = number;
type u16 = number;
type i32 = number;
type u32 = number;
type isize = number;
type usize = number;
type i64 = bigint;
type u64 = bigint;
