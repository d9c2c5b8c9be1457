//! One instruction as text, in the notation of LLVM and the kernel's verifier
//! (Documentation/bpf/standardization). Every bit pattern gives some text.

use std::fmt;

/// The fields of one instruction slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fields {
    /// Operation.
    pub code: u8,
    /// Destination register.
    pub dst: u8,
    /// Source register.
    pub src: u8,
    /// Offset of memory or of a jump.
    pub off: i16,
    /// Immediate value.
    pub imm: i32,
}

/// What a listing knows of an instruction beside its bits.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known<'a> {
    /// Number of the instruction in its function; jumps are shown by the number they lead to.
    pub number: i64,
    /// The constant of a 64-bit load.
    pub wide: Option<u64>,
    /// What the instruction refers to: a map, a global, a function, a helper.
    pub name: Option<&'a str>,
}

/// An instruction with what is known of it, to be printed.
#[derive(Debug, Clone, Copy)]
pub struct Instruction<'a> {
    /// Its bits.
    pub fields: Fields,
    /// What else is known.
    pub known: Known<'a>,
}

impl fmt::Display for Instruction<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.fields.code & 0x07 {
            0x0 => self.load(f),
            0x1 => self.load_from_register(f),
            0x2 => write!(f, "{} = {}", self.memory(self.fields.dst), self.fields.imm),
            0x3 => self.store(f),
            0x5 | 0x6 => self.jump(f),
            _ => self.arithmetic(f),
        }
    }
}

impl Instruction<'_> {
    fn unknown(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fields { code, dst, src, off, imm } = self.fields;
        write!(f, "unknown {code:#04x} dst {dst} src {src} off {off} imm {imm}")
    }

    /// Class LD: a constant of 64 bits, or a byte of a packet.
    fn load(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fields { code, dst, src, imm, .. } = self.fields;
        let size = self.size();
        match (code, self.known.name) {
            (0x18, Some(name)) => write!(f, "r{dst} = {name} ll"),
            (0x18, None) => {
                write!(f, "r{dst} = {:#x} ll", self.known.wide.unwrap_or_default())
            }
            (code, _) if code & 0xe0 == 0x20 => write!(f, "r0 = *({size} *)skb[{imm}]"),
            (code, _) if code & 0xe0 == 0x40 => write!(f, "r0 = *({size} *)skb[r{src}]"),
            _ => self.unknown(f),
        }
    }

    fn load_from_register(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fields { code, dst, src, .. } = self.fields;
        match code & 0xe0 {
            0x60 => write!(f, "r{dst} = {}", self.memory(src)),
            0x80 => write!(f, "r{dst} = {}", self.memory(src).replacen('u', "s", 1)),
            _ => self.unknown(f),
        }
    }

    fn store(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fields { code, dst, src, imm, .. } = self.fields;
        let memory = self.memory(dst);
        let w = if code & 0x18 == 0x18 { 'r' } else { 'w' };
        match (code & 0xe0, imm) {
            (0x60, _) => write!(f, "{memory} = r{src}"),
            (0xc0, 0xe1) => write!(f, "{w}{src} = xchg({memory}, {w}{src})"),
            (0xc0, 0xf1) => write!(f, "{w}0 = cmpxchg({memory}, {w}0, {w}{src})"),
            (0xc0, 0x100) => write!(f, "{w}{dst} = load_acquire({})", self.memory(src)),
            (0xc0, 0x110) => write!(f, "store_release({memory}, {w}{src})"),
            (0xc0, imm) => {
                let (sign, name) = match imm & !1 {
                    0x00 => ("+", "add"),
                    0x40 => ("|", "or"),
                    0x50 => ("&", "and"),
                    0xa0 => ("^", "xor"),
                    _ => return self.unknown(f),
                };
                if imm & 1 == 0 {
                    write!(f, "lock {memory} {sign}= {w}{src}")
                } else {
                    write!(f, "{w}{src} = atomic_fetch_{name}({memory}, {w}{src})")
                }
            }
            _ => self.unknown(f),
        }
    }

    fn jump(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fields { code, dst, off, imm, .. } = self.fields;
        let is_wide = code & 0x07 == 0x5;
        let w = if is_wide { 'r' } else { 'w' };
        let target = self.known.number + 1 + i64::from(off);
        let test = match code & 0xf0 {
            0x00 if code == 0x05 => return write!(f, "goto {target}"),
            0x00 if code == 0x0d => return write!(f, "gotox r{dst}"),
            0x00 if code == 0x06 => {
                return write!(f, "gotol {}", self.known.number + 1 + i64::from(imm));
            }
            0x80 if is_wide => return self.call(f),
            0x90 if code == 0x95 => return f.write_str("exit"),
            0xe0 if is_wide => return write!(f, "may_goto {target}"),
            0x10 => "==",
            0x20 => ">",
            0x30 => ">=",
            0x40 => "&",
            0x50 => "!=",
            0x60 => "s>",
            0x70 => "s>=",
            0xa0 => "<",
            0xb0 => "<=",
            0xc0 => "s<",
            0xd0 => "s<=",
            _ => return self.unknown(f),
        };
        write!(f, "if {w}{dst} {test} {} goto {target}", self.operand(w))
    }

    fn call(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fields { code, dst, src, imm, .. } = self.fields;
        match (self.known.name, src) {
            _ if code & 0x08 != 0 => write!(f, "callx r{dst}"),
            (Some(name), _) => write!(f, "call {name}"),
            (None, 0) => write!(f, "call helper {imm}"),
            (None, 1) => write!(f, "call {}", self.known.number + 1 + i64::from(imm)),
            (None, _) => write!(f, "call kernel function {imm}"),
        }
    }

    fn arithmetic(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fields { code, dst, src, off, imm } = self.fields;
        let is_wide = code & 0x07 == 0x7;
        let w = if is_wide { 'r' } else { 'w' };
        let sign = match code & 0xf0 {
            0x00 => "+",
            0x10 => "-",
            0x20 => "*",
            0x30 if off == 1 => "s/",
            0x30 => "/",
            0x40 => "|",
            0x50 => "&",
            0x60 => "<<",
            0x70 => ">>",
            0x80 => return write!(f, "{w}{dst} = -{w}{dst}"),
            0x90 if off == 1 => "s%",
            0x90 => "%",
            0xa0 => "^",
            0xb0 => {
                return match (code & 0x08 != 0, off) {
                    (true, 8 | 16 | 32) => write!(f, "{w}{dst} = (s{off}){w}{src}"),
                    (true, 1) if is_wide => {
                        let (to, from) = (imm >> 16 & 0xffff, imm & 0xffff);
                        write!(f, "r{dst} = addr_space_cast(r{src}, {to}, {from})")
                    }
                    _ => write!(f, "{w}{dst} = {}", self.operand(w)),
                };
            }
            0xc0 => "s>>",
            0xd0 => {
                let order = match (is_wide, code & 0x08 != 0) {
                    (true, _) => "bswap",
                    (false, true) => "be",
                    (false, false) => "le",
                };
                return write!(f, "r{dst} = {order}{imm} r{dst}");
            }
            _ => return self.unknown(f),
        };
        write!(f, "{w}{dst} {sign}= {}", self.operand(w))
    }

    fn operand(&self, w: char) -> String {
        match self.fields.code & 0x08 {
            0 => self.fields.imm.to_string(),
            _ => format!("{w}{}", self.fields.src),
        }
    }

    const fn size(&self) -> &'static str {
        match self.fields.code & 0x18 {
            0x00 => "u32",
            0x08 => "u16",
            0x10 => "u8",
            _ => "u64",
        }
    }

    fn memory(&self, base: u8) -> String {
        let off = self.fields.off;
        let sign = if off < 0 { '-' } else { '+' };
        format!("*({} *)(r{base} {sign} {})", self.size(), off.unsigned_abs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(code: u8, dst: u8, src: u8, off: i16, imm: i32) -> String {
        let fields = Fields { code, dst, src, off, imm };
        Instruction { fields, known: Known { number: 10, ..Known::default() } }.to_string()
    }

    #[test]
    fn notation_is_that_of_llvm() {
        assert_eq!(text(0xb7, 0, 0, 0, 2), "r0 = 2");
        assert_eq!(text(0xbf, 6, 1, 0, 0), "r6 = r1");
        assert_eq!(text(0xb4, 1, 0, 0, -1), "w1 = -1");
        assert_eq!(text(0x61, 2, 1, 4, 0), "r2 = *(u32 *)(r1 + 4)");
        assert_eq!(text(0x91, 2, 1, 4, 0), "r2 = *(s8 *)(r1 + 4)");
        assert_eq!(text(0x7b, 10, 1, -8, 0), "*(u64 *)(r10 - 8) = r1");
        assert_eq!(text(0x62, 10, 0, -4, 7), "*(u32 *)(r10 - 4) = 7");
        assert_eq!(text(0x2d, 3, 2, 5, 0), "if r3 > r2 goto 16");
        assert_eq!(text(0x16, 3, 0, -2, 8), "if w3 == 8 goto 9");
        assert_eq!(text(0x05, 0, 0, 1, 0), "goto 12");
        assert_eq!(text(0x06, 0, 0, 0, 100), "gotol 111");
        assert_eq!(text(0xdb, 0, 1, 0, 0), "lock *(u64 *)(r0 + 0) += r1");
        assert_eq!(text(0xc3, 0, 1, 0, 1), "w1 = atomic_fetch_add(*(u32 *)(r0 + 0), w1)");
        assert_eq!(text(0xdc, 1, 0, 0, 16), "r1 = be16 r1");
        assert_eq!(text(0x77, 1, 0, 0, 32), "r1 >>= 32");
        assert_eq!(text(0x85, 0, 0, 0, 1), "call helper 1");
        assert_eq!(text(0x85, 0, 1, 0, 3), "call 14");
        assert_eq!(text(0x95, 0, 0, 0, 0), "exit");
    }

    #[test]
    fn every_operation_gives_text() {
        for code in 0..=u8::MAX {
            for (off, imm) in [(0, 0), (1, -1), (i16::MIN, i32::MIN), (i16::MAX, i32::MAX)] {
                assert!(!text(code, 15, 15, off, imm).is_empty());
            }
        }
    }
}
