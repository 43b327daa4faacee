//! Checks the features of this build. Tests of a build with fewer features would prove nothing if
//! the command line of cargo accidentally added the others.

#[test]
fn the_features_are_those_that_were_asked_for() {
    let built = [
        ("alert", cfg!(feature = "alert")),
        ("cli", cfg!(feature = "cli")),
        ("pkcs11", cfg!(feature = "pkcs11")),
        ("smtp", cfg!(feature = "smtp")),
        ("vendor", cfg!(feature = "vendor")),
    ];
    let built: Vec<_> = built.iter().filter(|(_, is_on)| *is_on).map(|(name, _)| *name).collect();
    let built = built.join(",");
    println!("features: {built}");
    if let Ok(asked) = std::env::var("OLR_FEATURES") {
        assert_eq!(built, asked);
    }
}
