//! The crypt(3) of Unix Version 7, over DES (FIPS 46-3): what Django's `crypt` hasher wrote.
//!
//! It sees eight characters of seven bits. Who had a longer password typed it whole all the
//! same, so the rest is ignored here too; the upgrade at login makes it count.

use subtle::ConstantTimeEq;

/// A parsed crypt string: two characters of salt, eleven of digest.
#[derive(Debug)]
pub(super) struct DesCryptHash(String);

impl DesCryptHash {
    /// Reads `salt$crypt`, what follows the name of the scheme. The salt in front may be missing;
    /// the crypt string carries it anyway.
    pub(super) fn parse(rest: &str) -> Result<Self, &'static str> {
        let [salt, crypt] = super::django::parts(rest)?;
        if crypt.len() != 13 || !crypt.bytes().all(|byte| six_bits(byte).is_some()) {
            return Err("not a crypt string");
        }
        if !salt.is_empty() && !crypt.starts_with(salt) {
            return Err("two different salts");
        }
        Ok(Self(crypt.to_owned()))
    }

    pub(super) fn verify(&self, password: &[u8]) -> bool {
        let stored = self.0.as_bytes();
        let salt = stored[..2]
            .iter()
            .rev()
            .fold(0, |salt, byte| salt << 6 | six_bits(*byte).unwrap_or_default());
        crypt(password, salt).as_slice().ct_eq(&stored[2..]).into()
    }
}

const ALPHABET: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

fn six_bits(byte: u8) -> Option<u64> {
    ALPHABET.iter().position(|known| *known == byte).map(|place| place as u64)
}

/// Encrypts a block of zeros 25 times under the password, the expansion twisted by the salt.
fn crypt(password: &[u8], salt: u64) -> Vec<u8> {
    let mut key = [0; 8];
    for (to, from) in key.iter_mut().zip(password) {
        *to = from << 1;
    }
    let keys = schedule(u64::from_be_bytes(key));
    // The initial and the final permutation cancel between the 25 runs and leave zeros as zeros.
    let (mut left, mut right) = (0, 0);
    for _ in 0..25 {
        for key in keys {
            (left, right) = (right, left ^ round(right, key, salt));
        }
        (left, right) = (right, left);
    }
    let bits = u128::from(permute(left << 32 | right, 64, &FINAL)) << 2;
    (0..11).rev().map(|place| ALPHABET[(bits >> (6 * place) & 63) as usize]).collect()
}

/// The cipher function: expansion, salt, key, substitution, permutation.
fn round(half: u64, key: u64, salt: u64) -> u64 {
    let expanded = permute(half, 32, &EXPANSION);
    // Bit i of the salt exchanges bits i and i + 24 of the expansion, counted from the left.
    let twist =
        (0..12).filter(|bit| (salt >> bit) & 1 == 1).fold(0, |mask, bit| mask | 1 << (23 - bit));
    let exchanged = ((expanded >> 24) ^ expanded) & twist;
    let mixed = expanded ^ exchanged ^ (exchanged << 24) ^ key;
    let substituted = SUBSTITUTION.iter().enumerate().fold(0, |out, (place, rows)| {
        let six = mixed >> (42 - 6 * place) & 63;
        let row = rows[((six >> 4 & 2 | six & 1) & 3) as usize];
        out << 4 | row >> (60 - 4 * (six >> 1 & 15)) & 15
    });
    permute(substituted, 32, &PERMUTATION)
}

/// The sixteen round keys.
fn schedule(key: u64) -> [u64; 16] {
    const HALF: u64 = (1 << 28) - 1;
    let chosen = permute(key, 64, &KEY_CHOICE_1);
    let (mut left, mut right) = (chosen >> 28, chosen & HALF);
    std::array::from_fn(|round| {
        let by = if matches!(round, 0 | 1 | 8 | 15) { 1 } else { 2 };
        left = (left << by | left >> (28 - by)) & HALF;
        right = (right << by | right >> (28 - by)) & HALF;
        permute(left << 28 | right, 56, &KEY_CHOICE_2)
    })
}

/// Gathers bits of a block of the given width by their numbers, counted from the left from 1.
fn permute(block: u64, width: u32, table: &[u8]) -> u64 {
    table.iter().fold(0, |out, bit| out << 1 | block >> (width - u32::from(*bit)) & 1)
}

const FINAL: [u8; 64] = [
    40, 8, 48, 16, 56, 24, 64, 32, 39, 7, 47, 15, 55, 23, 63, 31, 38, 6, 46, 14, 54, 22, 62, 30,
    37, 5, 45, 13, 53, 21, 61, 29, 36, 4, 44, 12, 52, 20, 60, 28, 35, 3, 43, 11, 51, 19, 59, 27,
    34, 2, 42, 10, 50, 18, 58, 26, 33, 1, 41, 9, 49, 17, 57, 25,
];
const EXPANSION: [u8; 48] = [
    32, 1, 2, 3, 4, 5, 4, 5, 6, 7, 8, 9, 8, 9, 10, 11, 12, 13, 12, 13, 14, 15, 16, 17, 16, 17, 18,
    19, 20, 21, 20, 21, 22, 23, 24, 25, 24, 25, 26, 27, 28, 29, 28, 29, 30, 31, 32, 1,
];
const PERMUTATION: [u8; 32] = [
    16, 7, 20, 21, 29, 12, 28, 17, 1, 15, 23, 26, 5, 18, 31, 10, 2, 8, 24, 14, 32, 27, 3, 9, 19,
    13, 30, 6, 22, 11, 4, 25,
];
const KEY_CHOICE_1: [u8; 56] = [
    57, 49, 41, 33, 25, 17, 9, 1, 58, 50, 42, 34, 26, 18, 10, 2, 59, 51, 43, 35, 27, 19, 11, 3, 60,
    52, 44, 36, 63, 55, 47, 39, 31, 23, 15, 7, 62, 54, 46, 38, 30, 22, 14, 6, 61, 53, 45, 37, 29,
    21, 13, 5, 28, 20, 12, 4,
];
const KEY_CHOICE_2: [u8; 48] = [
    14, 17, 11, 24, 1, 5, 3, 28, 15, 6, 21, 10, 23, 19, 12, 4, 26, 8, 16, 7, 27, 20, 13, 2, 41, 52,
    31, 37, 47, 55, 30, 40, 51, 45, 33, 48, 44, 49, 39, 56, 34, 53, 46, 42, 50, 36, 29, 32,
];
/// The eight substitution boxes: four rows each, sixteen values of four bits to a row.
const SUBSTITUTION: [[u64; 4]; 8] = [
    [0xe4d1_2fb8_3a6c_5907, 0x0f74_e2d1_a6cb_9538, 0x41e8_d62b_fc97_3a50, 0xfc82_4917_5b3e_a06d],
    [0xf18e_6b34_972d_c05a, 0x3d47_f28e_c01a_69b5, 0x0e7b_a4d1_58c6_932f, 0xd8a1_3f42_b67c_05e9],
    [0xa09e_63f5_1dc7_b428, 0xd709_346a_285e_cbf1, 0xd649_8f30_b12c_5ae7, 0x1ad0_6987_4fe3_b52c],
    [0x7de3_069a_1285_bc4f, 0xd8b5_6f03_472c_1ae9, 0xa690_cb7d_f13e_5284, 0x3f06_a1d8_945b_c72e],
    [0x2c41_7ab6_853f_d0e9, 0xeb2c_47d1_50fa_3986, 0x421b_ad78_f9c5_630e, 0xb8c7_1e2d_6f09_a453],
    [0xc1af_9268_0d34_e75b, 0xaf42_7c95_61de_0b38, 0x9ef5_28c3_704a_1db6, 0x432c_95fa_be17_608d],
    [0x4b2e_f08d_3c97_5a61, 0xd0b7_491a_e35c_2f86, 0x14bd_c37e_af68_0592, 0x6bd8_14a7_950f_e23c],
    [0xd284_6fb1_a93e_50c7, 0x1fd8_a374_c56b_0e92, 0x7b41_9ce2_06ad_f358, 0x21e7_4a8d_fc90_356b],
];
