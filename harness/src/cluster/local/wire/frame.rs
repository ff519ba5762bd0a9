//! What is inside a frame, as far as flipping a bit of it needs to know: where the
//! payload lies, and which checksum covers it (RFC 791, 768, 9293, 8200; the checksum's arithmetic: RFC 1624).

use super::layer::Flip;

/// An Ethernet header: two addresses and a type.
pub const HEADER: usize = 14;

// What a frame carries (its type), and what a packet does (its protocol).
const ARP: u16 = 0x0806;
const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMPV6: u8 = 58;

/// Where a frame goes: the last byte of its destination, or everybody.
pub fn destination(frame: &[u8]) -> Option<Destination> {
    let address = frame.first_chunk::<6>()?;
    Some(if address[0] & 1 == 1 { Destination::All } else { Destination::Port(address[5]) })
}

/// Whom a frame is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// The port whose number is in the address.
    Port(u8),
    /// A broadcast or a multicast.
    All,
}

/// Whether a frame asks for, or tells, a hardware address (RFC 826; for IPv6 RFC 4861, with the groups
/// in which the questions are asked, RFC 3810). Between real hosts nobody harms that without
/// harming all: what a fault does is done to what nodes say to each other.
pub fn is_address_resolution(frame: &[u8]) -> bool {
    match kind(frame) {
        Some(ARP) => true,
        Some(IPV6) => {
            let message = ipv6(frame).filter(|&(protocol, ..)| protocol == ICMPV6);
            let message = message.and_then(|(_, segment, _)| frame.get(segment));
            message.is_some_and(|kind| matches!(kind, 130..=137 | 143))
        }
        _ => false,
    }
}

fn kind(frame: &[u8]) -> Option<u16> {
    Some(u16::from_be_bytes([*frame.get(12)?, *frame.get(13)?]))
}

/// Flips a bit. `false`: there is none that could be flipped as asked, and the frame is whole.
pub fn flip(frame: &mut [u8], how: Flip) -> bool {
    if !how.mend {
        return flip_within(frame, HEADER, frame.len(), how.chance).is_some();
    }
    let Some(Payload { from, to, checksum }) = payload(frame) else { return false };
    // The checksum adds words of two bytes, counted from the header that it is in.
    let Some((at, old)) = flip_within(frame, from, to, how.chance) else { return false };
    let high = (at - from) % 2 == 0;
    let word = |byte: u8| if high { u16::from(byte) << 8 } else { u16::from(byte) };
    let sum = u16::from_be_bytes([frame[checksum], frame[checksum + 1]]);
    let mended = match updated(sum, word(old), word(frame[at])) {
        // Of UDP it would say that there is none, which IPv6 forbids; the other zero says the same sum.
        0 if checksum + 2 == from => u16::MAX,
        mended => mended,
    };
    frame[checksum..checksum + 2].copy_from_slice(&mended.to_be_bytes());
    true
}

/// Flips one bit of `frame[from..to]`; where, and what was there.
fn flip_within(frame: &mut [u8], from: usize, to: usize, chance: u64) -> Option<(usize, u8)> {
    let bits = (to.checked_sub(from)? as u64) * 8;
    let bit = chance.checked_rem(bits)?;
    let at = from + (bit / 8) as usize;
    let old = frame[at];
    frame[at] ^= 1 << (bit % 8);
    Some((at, old))
}

/// A checksum after one of the words that it covers has changed (RFC 1624, equation 3).
fn updated(sum: u16, old: u16, new: u16) -> u16 {
    let total = u32::from(!sum) + u32::from(!old) + u32::from(new);
    let folded = (total & 0xffff) + (total >> 16);
    let folded = (folded & 0xffff) + (folded >> 16);
    !(folded as u16)
}

struct Payload {
    from: usize,
    to: usize,
    /// Where the checksum is.
    checksum: usize,
}

/// What TCP or UDP carries, if it carries anything and a checksum covers it.
fn payload(frame: &[u8]) -> Option<Payload> {
    let (protocol, segment, end) = match kind(frame)? {
        IPV4 => ipv4(frame)?,
        IPV6 => ipv6(frame)?,
        _ => return None,
    };
    let end = end.min(frame.len());
    let (from, checksum) = match protocol {
        TCP => (segment + usize::from(frame.get(segment + 12)? >> 4) * 4, segment + 16),
        UDP => (segment + 8, segment + 6),
        _ => return None,
    };
    // A UDP checksum of zero is none at all.
    let covered = frame.get(checksum..checksum + 2)? != [0, 0];
    (covered && from < end && from - segment >= 8).then_some(Payload { from, to: end, checksum })
}

/// The protocol, and from where to where it goes. A fragment has no header to mend.
fn ipv4(frame: &[u8]) -> Option<(u8, usize, usize)> {
    let header = frame.get(HEADER..HEADER + 20)?;
    let fragment = u16::from_be_bytes([header[6], header[7]]) & 0x3fff != 0;
    let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
    let segment = HEADER + usize::from(header[0] & 0xf) * 4;
    (!fragment).then_some((header[9], segment, HEADER + length))
}

/// The same; of the headers between, those that only say how far they go are passed over.
fn ipv6(frame: &[u8]) -> Option<(u8, usize, usize)> {
    let header = frame.get(HEADER..HEADER + 40)?;
    let length = usize::from(u16::from_be_bytes([header[4], header[5]]));
    let (mut protocol, mut segment) = (header[6], HEADER + 40);
    loop {
        match protocol {
            // Options on the way, routing, options at the end.
            0 | 43 | 60 => {
                let [next, eights] = *frame.get(segment..)?.first_chunk::<2>()?;
                (protocol, segment) = (next, segment + (usize::from(eights) + 1) * 8);
            }
            44 => return None,
            _ => return Some((protocol, segment, HEADER + 40 + length)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A datagram from fd00::1 to fd00::2 with its checksum, behind so many headers of options.
    fn datagram6(text: &[u8], options: usize) -> Vec<u8> {
        let mut frame = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x86, 0xdd];
        let udp = 8 + text.len() as u16;
        frame.extend([0x60, 0, 0, 0]);
        frame.extend((udp + 8 * options as u16).to_be_bytes());
        frame.extend([if options > 0 { 60 } else { UDP }, 64]);
        for last in [1, 2] {
            frame.extend([0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last]);
        }
        for left in (0..options).rev() {
            frame.extend([if left > 0 { 60 } else { UDP }, 0, 1, 4, 0, 0, 0, 0]);
        }
        let segment = frame.len();
        frame.extend([0x12, 0x34, 0x00, 0x09]);
        frame.extend(udp.to_be_bytes());
        frame.extend([0, 0]);
        frame.extend(text);
        let sum = sum(&frame[22..54], &frame[segment..]);
        frame[segment + 6..segment + 8].copy_from_slice(&sum.to_be_bytes());
        frame
    }

    /// A datagram from 10.0.0.1 to 10.0.0.2 with its checksum.
    fn datagram(text: &[u8]) -> Vec<u8> {
        let mut frame = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x08, 0x00];
        let (udp, ip) = (8 + text.len() as u16, 28 + text.len() as u16);
        frame.extend([0x45, 0]);
        frame.extend(ip.to_be_bytes());
        frame.extend([0, 0, 0x40, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
        frame.extend([0x12, 0x34, 0x00, 0x09]);
        frame.extend(udp.to_be_bytes());
        frame.extend([0, 0]);
        frame.extend(text);
        let sum = checksum(&frame);
        frame[40..42].copy_from_slice(&sum.to_be_bytes());
        frame
    }

    /// The sum over pseudo header and datagram, reckoned from nothing.
    fn checksum(frame: &[u8]) -> u16 {
        sum(&frame[26..34], &frame[34..])
    }

    fn sum(addresses: &[u8], segment: &[u8]) -> u16 {
        let mut words = vec![17, segment.len() as u32];
        for word in addresses.chunks(2).chain(segment.chunks(2)) {
            let low = word.get(1).copied().unwrap_or(0);
            words.push(u32::from(u16::from_be_bytes([word[0], low])));
        }
        let mut sum: u32 = words.iter().sum();
        while sum > 0xffff {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        !(sum as u16)
    }

    /// A receiver's view: with the checksum in it, the sum must come to nothing.
    fn is_sound(frame: &[u8]) -> bool {
        checksum(frame) == 0
    }

    #[test]
    fn a_flipped_bit_is_noticed_unless_the_checksum_is_mended() {
        for (text, chance) in [(&b"hello"[..], 0), (b"hello", 17), (b"hi", 15), (b"odd", 23)] {
            let whole = datagram(text);
            assert!(is_sound(&whole));
            let mut mended = whole.clone();
            assert!(flip(&mut mended, Flip { chance, mend: true }));
            assert!(is_sound(&mended) && mended[42..] != whole[42..]);
            let differing: u32 =
                mended[42..].iter().zip(&whole[42..]).map(|(a, b)| (a ^ b).count_ones()).sum();
            assert_eq!(differing, 1);
            let mut raw = whole.clone();
            // Behind Ethernet's, IP's and UDP's headers.
            assert!(flip(&mut raw, Flip { chance: 28 * 8 + chance, mend: false }));
            assert!(!is_sound(&raw));
        }
    }

    #[test]
    fn in_ipv6_a_checksum_is_mended_behind_other_headers_and_never_to_none() {
        for options in 0..3 {
            let whole = datagram6(b"hello", options);
            let segment = 54 + 8 * options;
            for chance in 0..40 {
                let mut mended = whole.clone();
                assert!(flip(&mut mended, Flip { chance, mend: true }));
                assert_eq!(sum(&mended[22..54], &mended[segment..]), 0);
                assert_ne!(mended[segment + 8..], whole[segment + 8..]);
                assert_eq!(mended[..segment + 6], whole[..segment + 6]);
            }
        }
        // With one more in the text, and a sum of one, the mended sum comes to nothing.
        let mut frame = datagram6(&[0, 0], 0);
        frame[60..62].copy_from_slice(&[0, 1]);
        assert!(flip(&mut frame, Flip { chance: 8, mend: true }));
        assert_eq!(frame[60..], [0xff, 0xff, 0, 1]);
    }

    #[test]
    fn questions_for_hardware_addresses_are_told_from_what_is_said() {
        let mut frame = datagram6(b"hello", 0);
        assert!(!is_address_resolution(&frame));
        assert!(!is_address_resolution(&datagram(b"hello")));
        assert!(!is_address_resolution(&[0; HEADER]));
        frame[20] = ICMPV6;
        for (kind, so) in [(128, false), (135, true), (136, true), (143, true), (1, false)] {
            frame[54] = kind;
            assert_eq!(is_address_resolution(&frame), so, "{kind}");
        }
        // Behind options, as reports of groups are.
        let mut report = datagram6(b"", 1);
        report[20] = 0;
        report[54] = ICMPV6;
        report[62] = 143;
        assert!(is_address_resolution(&report));
        report.truncate(62);
        assert!(!is_address_resolution(&report));
        let mut arp = datagram(b"hello");
        arp[12..14].copy_from_slice(&ARP.to_be_bytes());
        assert!(is_address_resolution(&arp));
    }

    #[test]
    fn what_has_no_payload_or_no_end_is_left_alone() {
        for length in 0..42 {
            let mut frame = datagram(b"hello")[..length].to_vec();
            let whole = frame.clone();
            assert!(!flip(&mut frame, Flip { chance: 5, mend: true }), "{length}");
            assert_eq!(frame, whole);
        }
        assert!(!flip(&mut datagram(b""), Flip { chance: 5, mend: true }));
        assert!(!flip(&mut [0; HEADER], Flip { chance: 5, mend: false }));
    }

    #[test]
    fn frames_go_to_the_port_in_their_address() {
        assert_eq!(destination(&datagram(b"")), Some(Destination::Port(2)));
        assert_eq!(destination(&[0xff; 14]), Some(Destination::All));
        assert_eq!(destination(&[2, 0]), None);
    }
}
