use super::filler;
use rand::rngs::ChaCha20Rng;
use rand::{RngExt as _, SeedableRng as _};

/// Checks every value. Values are separated by line ends or bars.
#[track_caller]
fn all(values: &str, expected: bool) {
    let values = values.lines().flat_map(|line| line.split(" | ")).map(str::trim);
    let values: Vec<_> = values.filter(|value| !value.is_empty()).collect();
    let wrong: Vec<_> = values.iter().filter(|value| filler(value) != expected).collect();
    assert!(wrong.is_empty(), "a filler should be {expected}: {wrong:#?}");
    assert!(values.len() > 30, "only {} values", values.len());
}

#[test]
fn nothing_and_words() {
    assert!(filler("") && filler(" "));
    all(
        r#"
        .... | -- | 0 | 00 | XX | N/A | n.a. | NA | �� | 不明 | None | NULL | (null) | <none> | nil
        TBD | T.B.D. | tba | Default string | Default_String | DefaultString | default-string
        DEFAULT | To be filled by O.E.M. | To be filled by O.E.M | To Be Filled By OEM
        To_be_filled_by_O.E.M._1 | ToBeFilledByOEM | Fill By OEM | O.E.M. | OEM | OEM String
        oem_serial | System manufacturer | System Manufacturer | System Serial Number
        System_Serial_Number | SystemSerialNumber | System Product Name | Serial Number
        Serial-Number | SerialNumber | serial no. | S/N | SN | Base Board Serial Number
        Type2 - Board Serial Number | Type 3 - Chassis Serial Number | Board Serial
        board-serial-number | Chassis Serial Number | Main Board | MB | Not Present | Not Provided
        Not Specified | NotSpecified | Not_Specified | NOT-AVAILABLE | Not Available
        not applicable | Not Applicable | Not Settable | Not Set | not found
        No Asset Information | No Asset Tag | NoAssetTag | No Serial | No ID | Unknown
        UNSPECIFIED | Undefined | Invalid | Empty | Blank | Asset-1234567890 | Asset Tag
        Serial0001 | OEM Serial 01 | Serial Number 12345 | <OUT OF SPEC> | <BAD INDEX> | test123
        Test | Sample | empty string | *** not specified *** | "Default string"
        "#,
        true,
    );
}

#[test]
fn what_counts_or_repeats() {
    all(
        r#"
        123 | 1234 | 12345 | 123456789 | 0123456789 | 1234567890 | 12345678901234567890
        123456789012 | 0123456789012345 | 12345678901234567 | 123456789123456789
        1234567891234567 | 9876543210 | 987654321 | 0987654321 | 54321 | 0123456789ABCDEF
        0123456789abcdef0123456789abcdef | 123456789ABCDEF0 | FEDCBA9876543210 | ABCDEFG
        ABCDEFGHIJ | abcdef123456 | ABCD1234 | 1234ABCD | 1234-5678-9012-3456 | 1234 5678
        MB-1234567890 | MB1234567890 | mb_1234567890 | BSN12345678901234567 | BSN-1234567890
        SYS-1234567890 | SYS1234567890 | SSN12345678901234567 | SSN-123456789 | SN123456
        S/N: 123456789 | PN-0987654321 | XYZ123456789 | 1234567890ABC | 1222367890123456789XXX
        12345678XXX | ABC-00000000 | MB-00000 | CSN0123456789 | 11111111 | 0000000 | 000000000000
        XXXXXXXXXX | xxxx-xxxx | AAAAAAA | fefefefe-fefe | ABABABAB | 123123123 | abcabcabc
        12341234 | 00000001 | 0000000001 | 10000000000 | 112233445566 | 11-22-33-44-55-66 | AABBCC
        111222333 | 0102030405 | 001002003004 | 0001-0002-0003 | 1111-2222-3333 | 1-2-3-4-5-6
        XXXX1234 | ....00....00 | 1234567890123456789012345678901234567890
        ABCDEFGHIJKLMNOPQRSTUVWXYZ | zyxwvuts
        "#,
        true,
    );
}

#[test]
fn uuids_of_nobody() {
    all(
        r#"
        00000000-0000-0000-0000-000000000000 | FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF
        ffffffff-ffff-ffff-ffff-fffffffffffe | 00000000-0000-0000-0000-000000000001
        00000000-0000-4000-8000-000000000000 | 11111111-1111-1111-1111-111111111111
        11111111-1111-4111-8111-111111111111 | fefefefe-fefe-fefe-fefe-fefefefefefe
        58585858-5858-5858-5858-585858585858 | 11111111-2222-3333-4444-555555555555
        aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee | aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee
        03000200-0400-0500-0006-000700080009 | 00020003-0004-0005-0006-000700080009
        00010002-0003-0004-0005-000600070008 | 02000300-0400-0500-0600-070008000900
        12345678-1234-5678-90ab-cddeefaabbcc | 12345678-1234-1234-1234-123456789012
        12345678-1234-1234-1234-123456789abc | 12345678-1234-4234-8234-1234567890ab
        12345678-1234-5678-1234-567812345678 | 12345678-9abc-def0-1234-56789abcdef0
        01234567-89ab-cdef-0123-456789abcdef | 87654321-4321-4321-4321-cba987654321
        00112233-4455-6677-8899-aabbccddeeff | 33221100-5544-7766-8899-aabbccddeeff
        00010203-0405-0607-0809-0a0b0c0d0e0f | 01020304-0506-0708-090a-0b0c0d0e0f10
        ffeeddcc-bbaa-9988-7766-554433221100 | 00000001-0002-0003-0004-000000000005
        01010101-0101-0101-0101-010101010101 | deadbeef-dead-beef-dead-beefdeadbeef
        deadbeef-0000-4a1b-9c2d-000000000000 | 4c4c4544-0020-2010-8020-a0c04f202020
        4c4c4544-0000-2010-8020-80c04f202020 | 4c4c4544-0030-3010-8030-b0c04f303030
        123e4567-e89b-12d3-a456-426614174000 | 550e8400-e29b-41d4-a716-446655440000
        VMware-00 00 00 00 00 00 00 00-00 00 00 00 00 00 00 00
        VirtualBox-00000000-0000-0000-0000-000000000000 | {12345678-1234-1234-1234-123456789012}
        "#,
        true,
    );
}

/// The values have the form of makers' serial numbers. The numbers themselves are made up.
#[test]
fn what_makers_give_is_not_a_filler() {
    all(
        r#"
        B5RMN2X | 7XK9TM3 | GHJT5R2 | JN00V12 | 1234GH2 | HTW1115 | CN7016346B002Q
        .7XK9TM3.CNFCP0084D01DN. | CN-0K083V-70163-4A1-00E7-A03
        CZC8417RVN | USE123ABCD | MXL0131T4W | CZ3434XLNR | 2M251100F3 | SGH629ZN3H
        PVZEK0ARHBV12A
        J300A1B2 | PF0TQ4XK | S4KZ1234 | 06GLWKM | MP1XF70Q | Z1ZS0A1B2 | L1HF6510037 | KQ01PL9
        S213078X5B29794 | ZM15AS012345 | WM176S600271 | NM13CS600815 | OM14BS000342
        A16161832606047 | MS1C6BB00900217 | 150649373401238 | GEBN02400A7R | BQWL43500234
        BTNY714001AB | QSIA52400128 | 190144430001472
        YLVT004321 | FCH1945V2GX | FOC2119Q1EK | WZP22450GKN | 2102311XBS10G9000217 | 219301584
        QTFCJ05160195 | CZ1024003H
        C02XK0AAJG5H | F5KX2QH0KXKN | 00000000a3f2c81d | 10000000d4e1f902 | SN20240117 | 100
        000127 | 0000013705 | A-4711-03
        VMware-56 4d 8f 1a 3e 7b 2c 90-11 d2 4f 6e a8 35 c7 09
        VMware-42 1b 7e 02 d9 0c 33 f1-5a 64 28 bb 90 ce 17 3d
        Parallels-55 6B 3B 0E 91 D7 4F A0 8C 12 6E F3 29 B4 70 5D
        GoogleCloud-8E2B47C16D0F935A1B7C4E82F0A6D395 | ec2f1ab9-6d3c-08e7-b2a5-97104fce83d6
        0000-0010-4466-7234-6743-2188-32 | 8791-4420-3061-7752-9983-1174-60
        ds=nocloud;h=web1;i=4711 | i-0f3a91bc27de45608 | 38217745
        WD-WMAP9A966149 | S3Z2NB0K502713H | Z1D5KQWA | 2149E5F0A1B7 | QM00001
        eui.0025385b71b0a1c4 | naa.5000c500a1b2c3d4 | PHLN0123001A1P0G
        9f3c1d52-7a41-4be6-8f0e-2d6c5b7a9e13 | 6d1d3c4e-1b2a-4e5f-9a8b-7c6d5e4f3a2b
        564d8f1a-3e7b-2c90-11d2-4f6ea835c709 | 4c4c4544-0042-3510-8052-b4c04f4d4e32
        4c4c4544-0037-5810-804b-b9c04f544d33 | 30393137-3436-5a43-4333-343334584c4e
        00000000-0000-0000-0000-ac1f6b48d2e7 | 00000000-0000-0000-0000-002590a1b2c3
        00000000-0000-0000-0000-0cc47a000017 | 49434d53-0200-9080-2500-809025005ec1
        031b021c-040d-05b7-8206-4b0700080009 | ec2f1ab9-6d3c-08e7-b2a5-97104fce83d6
        a0369f00-10dd-11e6-9bd3-1c1b0d9a6f44
        "#,
        false,
    );
}

fn random(rng: &mut ChaCha20Rng, letters: &[u8], len: usize) -> String {
    (0..len).map(|_| char::from(letters[rng.random_range(0..letters.len())])).collect()
}

/// Number of random values of each form. `bash .ci/long serials` draws fifty times as many.
fn draws() -> usize {
    if std::env::var_os("OLR_LONG").is_some() { 1_000_000 } else { 20_000 }
}

const LETTERS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// How many of ten thousand random values of `len` letters and digits may be taken for fillers: the
/// bounds of `docs/format.md`, section "Fillers".
fn bound(len: usize) -> f64 {
    if len < 9 { 2.0 } else { 1.0 }
}

/// Each alphabet and length keeps its bound: digits, hexadecimal digits, and letters and digits.
/// The number of mistaken values may exceed the bound by four standard deviations.
#[test]
fn a_random_value_is_hardly_ever_taken_for_a_filler() {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    for base in [10, 16, 36] {
        for len in 7..=16 {
            let values = (0..draws()).map(|_| random(&mut rng, &LETTERS[..base], len));
            let wrong = values.filter(|value| filler(value)).count();
            let allowed = bound(len) * draws() as f64 / 10_000.0;
            println!("{wrong} of {} with {len} of {base}", draws());
            assert!((wrong as f64) < allowed + 4.0 * allowed.sqrt(), "{wrong}: {len} of {base}");
        }
    }
}

/// The shortest form with a bound has few enough values to count them all.
#[test]
#[ignore = "bash .ci/long serials"]
fn of_all_numbers_of_seven_digits_fewer_than_two_in_ten_thousand_are_fillers() {
    let wrong = (0..10_000_000).filter(|number| filler(&format!("{number:07}"))).count();
    println!("{wrong} of 10000000 numbers of 7 digits");
    assert!(wrong < 2_000, "{wrong}");
}

#[test]
fn a_random_uuid_is_never_taken_for_a_filler() {
    let mut rng = ChaCha20Rng::seed_from_u64(4);
    for _ in 0..draws() {
        let (high, low): (u64, u64) = (rng.random(), rng.random());
        let text = format!(
            "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
            high >> 32,
            high >> 16 & 0xffff,
            high & 0xfff,
            low >> 52,
            low & 0xffff_ffff_ffff
        );
        assert!(!filler(&text), "{text}");
    }
}

#[test]
fn long_values_take_no_time() {
    for value in ["serial number ", "0123456789", "ab", "a1", "x y", "\u{fffd}"] {
        filler(&value.repeat(100_000));
    }
}
