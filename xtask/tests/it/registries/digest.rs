//! Digests in hexadecimal, without any prefix, as registries compute them for themselves: SHA-256,
//! and BLAKE2b with 32 bytes of digest, which the main package index names its files by.
//!
//! Source of the latter: RFC 7693. There is no key, no salt, and one call for the whole input.

use sha2::{Digest as _, Sha256};

/// The first words of the fractions of the square roots of the first primes, as in SHA-512.
const START: [u64; 8] = [
    0x6a09_e667_f3bc_c908,
    0xbb67_ae85_84ca_a73b,
    0x3c6e_f372_fe94_f82b,
    0xa54f_f53a_5f1d_36f1,
    0x510e_527f_ade6_82d1,
    0x9b05_688c_2b3e_6c1f,
    0x1f83_d9ab_fb41_bd6b,
    0x5be0_cd19_137e_2179,
];

/// Which words of a block each round mixes in.
const ORDER: [[usize; 16]; 10] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
    [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
    [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
    [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
    [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
    [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
    [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
    [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
    [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
];

/// Which words of the state each step of a round mixes: the columns, then the diagonals.
const STEPS: [[usize; 4]; 8] = [
    [0, 4, 8, 12],
    [1, 5, 9, 13],
    [2, 6, 10, 14],
    [3, 7, 11, 15],
    [0, 5, 10, 15],
    [1, 6, 11, 12],
    [2, 7, 8, 13],
    [3, 4, 9, 14],
];

/// SHA-256 in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// BLAKE2b-256 in hexadecimal.
pub fn blake2_256(bytes: &[u8]) -> String {
    let mut hash = START;
    hash[0] ^= 0x0101_0000 ^ 32;
    let mut blocks = bytes.chunks(128).peekable();
    let mut counted = 0;
    loop {
        let mut block = [0; 128];
        let part = blocks.next().unwrap_or_default();
        block[..part.len()].copy_from_slice(part);
        counted += part.len() as u64;
        let last = blocks.peek().is_none();
        compress(&mut hash, &block, counted, last);
        if last {
            break;
        }
    }
    let bytes = hash[..4].iter().flat_map(|word| word.to_le_bytes());
    bytes.map(|byte| format!("{byte:02x}")).collect()
}

fn compress(hash: &mut [u64; 8], block: &[u8; 128], counted: u64, last: bool) {
    let mut words = [0; 16];
    for (word, bytes) in words.iter_mut().zip(block.chunks_exact(8)) {
        *word = u64::from_le_bytes(bytes.try_into().unwrap());
    }
    let mut state = [0; 16];
    state[..8].copy_from_slice(hash);
    state[8..].copy_from_slice(&START);
    state[12] ^= counted;
    if last {
        state[14] = !state[14];
    }
    for round in 0..12 {
        let order = ORDER[round % 10];
        for (step, [a, b, c, d]) in STEPS.into_iter().enumerate() {
            for (word, turns) in [(order[2 * step], (32, 24)), (order[2 * step + 1], (16, 63))] {
                let sum = state[a].wrapping_add(state[b]);
                state[a] = sum.wrapping_add(words[word]);
                state[d] = (state[d] ^ state[a]).rotate_right(turns.0);
                state[c] = state[c].wrapping_add(state[d]);
                state[b] = (state[b] ^ state[c]).rotate_right(turns.1);
            }
        }
    }
    for (at, word) in hash.iter_mut().enumerate() {
        *word ^= state[at] ^ state[at + 8];
    }
}

#[test]
fn known_inputs_have_their_known_digests() {
    let known = [
        (
            0,
            "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8",
        ),
        (
            3,
            "c8ed3cbe4acb99aeb94515ad89a6228f3f5d8f82dec429df135adafcea639416",
        ),
        (
            128,
            "ae2aa48507885c4c950fb809b2076f959cde9f8ea6da260d9a3587df33dac450",
        ),
        (
            129,
            "2f64744a6de0d2c0b56e64cf6e29a5aaa255010d415d51c75ccc82f73dccd865",
        ),
        (
            1000,
            "e00b0ddbf1e2cdaf5c898e1a5e8826ea3a2c339bcf2a478da2e5fca9ff126672",
        ),
    ];
    for (length, digest) in known {
        assert_eq!(blake2_256(&vec![b'a'; length]), digest, "{length}");
    }
    let digest = "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed";
    assert_eq!(sha256(b"one"), digest);
}
