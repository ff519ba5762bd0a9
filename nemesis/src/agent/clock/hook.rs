//! The machine code that stands in for the vDSO's clock functions.
//!
//! One position-independent block, assembled by us, laid into the unused tail
//! of the target's vDSO mapping. It is never run here: it lies in read-only
//! data, and only its bytes are used.
//!
//! The offset is kept as seconds and nanoseconds (0 to 999,999,999), so that a
//! call costs no division while the clock does not drift. A drift is a rate, in 2^-32, of the
//! time since its beginning. Both are kept in two slots. The writer fills the slot that nobody
//! reads and then counts the index up; a reader takes the slot that the index
//! names and looks again when the index moved under it, so no clock is ever
//! read with half of one offset and half of another.
//!
//! `CLOCK_REALTIME` (0) and `CLOCK_REALTIME_COARSE` (5) move, and with them
//! `gettimeofday` and `time`. Every other clock goes through untouched.

use std::arch::global_asm;
use std::slice;

use super::Setting;

/// Marks a patched vDSO. The number is the layout's version.
pub const MAGIC: [u8; 16] = *b"TRIBUNAL CLOCK 2";
/// Where the index byte is.
pub const INDEX: usize = 16;
/// Where the two slots of four 64-bit numbers are.
pub const SLOTS: usize = 24;
/// A slot's size.
pub const SLOT: usize = 32;
/// Where the table of code positions is, 32 bits each, in the order of [`Entry`].
const ENTRIES: usize = SLOTS + 2 * SLOT;

/// The code positions inside the block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Replaces `__vdso_clock_gettime`.
    ClockGettime,
    /// Replaces `__vdso_gettimeofday`.
    Gettimeofday,
    /// Replaces `__vdso_time`.
    Time,
    /// The original `clock_gettime`: as assembled it issues the system call,
    /// which is always right; a trampoline to the vDSO's own code is faster.
    Original,
    /// `syscall; int3`, for a system call made on a tracee's behalf.
    Gate,
    /// `int3`, where a call made on a tracee's behalf returns to.
    Trap,
}

global_asm!(
    ".pushsection .rodata.tribunal_clock,\"a\",@progbits",
    ".balign 64",
    ".hidden tribunal_clock_begin",
    ".hidden tribunal_clock_end",
    ".globl tribunal_clock_begin",
    ".globl tribunal_clock_end",
    "tribunal_clock_begin:",
    ".ascii \"TRIBUNAL CLOCK 2\"",
    "2: .byte 0", // the index
    ".zero 7",
    "3: .quad 0, 0, 0, 0", // the slots: seconds, nanoseconds; beginning of the drift, its rate
    ".quad 0, 0, 0, 0",
    ".long 70f - tribunal_clock_begin",
    ".long 20f - tribunal_clock_begin",
    ".long 30f - tribunal_clock_begin",
    ".long 40f - tribunal_clock_begin",
    ".long 50f - tribunal_clock_begin",
    ".long 51f - tribunal_clock_begin",
    // int clock_gettime(clockid_t edi, struct timespec *rsi)
    ".balign 16",
    "70: push rdi",
    "push rsi",
    "sub rsp, 8",
    "call 40f",
    "add rsp, 8",
    "pop rsi",
    "pop rdi",
    "test eax, eax",
    "jnz 72f",
    "test edi, edi",
    "jz 71f",
    "cmp edi, 5",
    "jne 72f",
    "71: call 60f",
    "xor eax, eax",
    "72: ret",
    // int gettimeofday(struct timeval *rdi, struct timezone *rsi)
    ".balign 16",
    "20: push rdi",
    "push rsi",
    "sub rsp, 24",
    "test rdi, rdi",
    "jz 21f",
    "xor edi, edi",
    "mov rsi, rsp",
    "call 40f",
    "mov rsi, rsp",
    "call 60f",
    "mov rdi, [rsp + 32]",
    "mov rax, [rsp]",
    "mov [rdi], rax",
    "mov rax, [rsp + 8]",
    "xor edx, edx",
    "mov ecx, 1000",
    "div rcx",
    "mov [rdi + 8], rax",
    // A time zone is asked for by nobody; the kernel knows it.
    "21: mov rsi, [rsp + 24]",
    "test rsi, rsi",
    "jz 22f",
    "xor edi, edi",
    "mov eax, 96",
    "syscall",
    "22: add rsp, 40",
    "xor eax, eax",
    "ret",
    // time_t time(time_t *rdi)
    ".balign 16",
    "30: push rdi",
    "sub rsp, 16",
    "mov edi, 5",
    "mov rsi, rsp",
    "call 40f",
    "mov rsi, rsp",
    "call 60f",
    "mov rax, [rsp]",
    "add rsp, 16",
    "pop rdi",
    "test rdi, rdi",
    "jz 31f",
    "mov [rdi], rax",
    "31: ret",
    // The original, 32 bytes to be overwritten by the trampoline.
    ".balign 16",
    "40: mov eax, 228",
    "syscall",
    "ret",
    "41: .fill 32 - (41b - 40b), 1, 0xcc",
    "50: syscall",
    "51: int3",
    // Adds offset and drift to the timespec at rsi. Keeps rsi.
    ".balign 16",
    "60: movzx ecx, byte ptr [rip + 2b]",
    "mov edi, ecx",
    "and ecx, 1",
    "shl ecx, 5",
    "lea rdx, [rip + 3b]",
    "add rdx, rcx",
    "mov rcx, [rdx]",
    "mov rax, [rdx + 8]",
    "mov r8, [rdx + 16]",
    "mov r9, [rdx + 24]",
    "movzx edx, byte ptr [rip + 2b]",
    "cmp edx, edi",
    "jne 60b",
    "add rcx, [rsi]",
    "add rax, [rsi + 8]",
    "cmp rax, 1000000000",
    "jb 61f",
    "sub rax, 1000000000",
    "inc rcx",
    "61: test r9, r9",
    "jz 64f",
    // The time since the drift began, by the machine's clock, times the rate.
    "mov r11, rax",
    "imul rax, qword ptr [rsi], 1000000000",
    "add rax, [rsi + 8]",
    "sub rax, r8",
    "imul r9",
    "shrd rax, rdx, 32",
    "add rax, r11",
    "cqo",
    "mov r8d, 1000000000",
    "idiv r8",
    "test rdx, rdx",
    "jns 63f",
    "add rdx, r8",
    "dec rax",
    "63: add rcx, rax",
    "mov rax, rdx",
    "64: mov [rsi], rcx",
    "mov [rsi + 8], rax",
    "ret",
    "tribunal_clock_end:",
    ".popsection",
);

unsafe extern "C" {
    static tribunal_clock_begin: u8;
    static tribunal_clock_end: u8;
}

/// The block, as assembled.
pub fn block() -> &'static [u8] {
    let begin = &raw const tribunal_clock_begin;
    let end = &raw const tribunal_clock_end;
    // SAFETY: both labels are in one section, the second behind the first, and
    // nothing ever writes to it.
    unsafe { slice::from_raw_parts(begin, end.offset_from_unsigned(begin)) }
}

/// Where `entry` is in the block (whichever build of this layout laid it down).
pub fn position(block: &[u8], entry: Entry) -> Option<usize> {
    let at = ENTRIES + 4 * entry as usize;
    let bytes = block.get(at..at + 4)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?) as usize)
}

/// A jump from `from` to `to`, both relative to the same base: `jmp rel32`.
pub fn jump(from: usize, to: usize) -> [u8; 5] {
    let distance = (to as i64 - (from as i64 + 5)) as i32;
    let mut code = [0xe9; 5];
    code[1..].copy_from_slice(&distance.to_le_bytes());
    code
}

/// How far a clock is ahead by a slot, when the machine's shows `at_ns`.
pub fn ahead_at(slot: [u8; SLOT], at_ns: i64) -> i64 {
    let word = |place: usize| {
        i64::from_le_bytes(slot[8 * place..8 * place + 8].try_into().expect("eight bytes"))
    };
    let (seconds, nanos, since_ns, rate) = (word(0), word(1), word(2), word(3));
    let drift = (i128::from(at_ns.wrapping_sub(since_ns)) * i128::from(rate)) >> 32;
    seconds.saturating_mul(1_000_000_000).saturating_add(nanos).saturating_add(drift as i64)
}

/// What a clock is set to, as a slot holds it.
pub fn slot(set: Setting) -> [u8; SLOT] {
    let words = [
        set.offset_ns.div_euclid(1_000_000_000),
        set.offset_ns.rem_euclid(1_000_000_000),
        set.since_ns,
        set.rate(),
    ];
    let mut bytes = [0; SLOT];
    for (place, word) in bytes.chunks_exact_mut(8).zip(words) {
        place.copy_from_slice(&word.to_le_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_block_says_where_its_code_is() {
        let block = block();
        assert_eq!(block[..16], MAGIC);
        assert!(block.len() <= 512, "{} bytes", block.len());
        let original = position(block, Entry::Original).unwrap();
        assert_eq!(block[original..original + 5], [0xb8, 228, 0, 0, 0]); // mov eax, 228
        let room = position(block, Entry::Gate).unwrap() - original;
        assert_eq!(room, 32, "for the displaced prologue and the jump back");
        let trap = position(block, Entry::Trap).unwrap();
        assert_eq!(block[trap - 2..=trap], [0x0f, 0x05, 0xcc]); // syscall; int3
    }

    #[test]
    fn a_slot_never_holds_negative_nanoseconds() {
        let halves = |offset_ns| {
            let slot = slot(Setting { offset_ns, ..Setting::default() });
            let half = |at: usize| i64::from_le_bytes(slot[at..at + 8].try_into().unwrap());
            (half(0), half(8))
        };
        assert_eq!(halves(5_000_000_001), (5, 1));
        assert_eq!(halves(-1), (-1, 999_999_999));
    }

    #[test]
    fn a_slot_tells_what_it_was_filled_with() {
        for set in [
            Setting::default(),
            Setting { offset_ns: -1, ppm: 0, since_ns: 77 },
            Setting { offset_ns: 5_000_000_001, ppm: -500_000, since_ns: 1_000 },
            Setting { offset_ns: 0, ppm: 100_000_000, since_ns: 1_700_000_000_000_000_000 },
        ] {
            for at_ns in [set.since_ns, set.since_ns + 1, set.since_ns + 3_000_000_000] {
                assert_eq!(ahead_at(slot(set), at_ns), set.ahead_at(at_ns), "{set:?} at {at_ns}");
            }
        }
    }

    #[test]
    fn jumps_are_relative_to_the_next_instruction() {
        assert_eq!(jump(0x100, 0x105), [0xe9, 0, 0, 0, 0]);
        assert_eq!(jump(0x100, 0x100), [0xe9, 0xfb, 0xff, 0xff, 0xff]);
    }
}
