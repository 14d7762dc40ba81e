//! The checksum that Google's object storage says of an object (`x-goog-hash`). Pure.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// CRC-32C (Castagnoli), as RFC 3720 describes it, taken in piece by piece.
#[derive(Debug, Clone, Copy)]
pub struct Crc32c(u32);

const TABLE: [u32; 256] = table();

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut value = byte;
        let mut bit = 0;
        while bit < 8 {
            let reduced = if value & 1 == 1 { 0x82f6_3b78 } else { 0 };
            value = (value >> 1) ^ reduced;
            bit += 1;
        }
        table[byte as usize] = value;
        byte += 1;
    }
    table
}

impl Default for Crc32c {
    fn default() -> Crc32c {
        Crc32c(u32::MAX)
    }
}

impl Crc32c {
    /// The checksum of these bytes.
    pub fn of(bytes: &[u8]) -> u32 {
        let mut checksum = Crc32c::default();
        checksum.update(bytes);
        checksum.value()
    }

    /// Takes in the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |value, byte| {
            // One of 256 values, for which the table has a place each.
            let place = ((value ^ u32::from(*byte)) & 0xff) as usize;
            TABLE[place] ^ (value >> 8)
        });
    }

    /// The checksum of all that was taken in.
    pub fn value(self) -> u32 {
        !self.0
    }
}

/// The CRC-32C in the value of `x-goog-hash`, which may hold other digests too.
pub fn stated(header: &str) -> Option<u32> {
    let mut parts = header.split(',').map(str::trim);
    let text = parts.find_map(|part| part.strip_prefix("crc32c="))?;
    let bytes: [u8; 4] = STANDARD.decode(text).ok()?.try_into().ok()?;
    Some(u32::from_be_bytes(bytes))
}

/// The value of the header for some bytes, as the storage would write it.
pub fn header(bytes: &[u8]) -> String {
    let value = STANDARD.encode(Crc32c::of(bytes).to_be_bytes());
    format!("crc32c={value}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_the_standard() {
        // RFC 3720, B.4, and the usual check value.
        let check = |bytes: &[u8], expected| assert_eq!(Crc32c::of(bytes), expected);
        check(b"", 0);
        check(b"123456789", 0xe306_9283);
        check(&[0; 32], 0x8a91_36aa);
        check(&[0xff; 32], 0x62a8_ab43);
        let mut pieces = Crc32c::default();
        pieces.update(b"1234");
        pieces.update(b"56789");
        assert_eq!(pieces.value(), 0xe306_9283);
    }

    #[test]
    fn a_header_states_it_among_others() {
        let check = |header, expected| assert_eq!(stated(header), expected, "{header}");
        check("crc32c=4waSgw==", Some(0xe306_9283));
        check(
            "crc32c=4waSgw==, md5=JfnnlDI7RTiF9RgfG2JNCw==",
            Some(0xe306_9283),
        );
        check(
            "md5=JfnnlDI7RTiF9RgfG2JNCw==,crc32c=4waSgw==",
            Some(0xe306_9283),
        );
        check("md5=JfnnlDI7RTiF9RgfG2JNCw==", None);
        check("crc32c=", None);
        check("crc32c=4waSgwAA", None);
        check("", None);
        assert_eq!(stated(&header(b"123456789")), Some(0xe306_9283));
    }
}
