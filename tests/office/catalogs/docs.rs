//! The page about catalogs documents every key, and its examples are valid.

use olr_core::entitlement::{Cause, Edition, Model, Operation, Outcome};
use olr_office::catalog::Catalog;
use olr_office::issue::GrantFile;

use super::{Desk, SELF_HOSTED};

const PAGE: &str = include_str!("../../../docs/catalog.md");

/// The keys that a table may have, as listed in the error about an unknown key.
fn keys(error: olr_core::error::Error) -> Vec<String> {
    let hint = error.next_step().text().strip_prefix("the keys are ");
    hint.unwrap_or_else(|| panic!("{error}")).split(", ").map(str::to_string).collect()
}

#[test]
fn the_page_names_every_key_and_word() {
    let mut named = 0;
    let mut expect = |word: &str| {
        let written = ["`{}`", "`[{}.NAME]`"].map(|form| form.replace("{}", word));
        assert!(
            written.iter().any(|form| PAGE.contains(form)),
            "docs/catalog.md does not mention {word}"
        );
        named += 1;
    };
    let table = |head: &str| {
        let text = SELF_HOSTED.replacen(head, &format!("{head}\nzzz = 1"), 1);
        assert_ne!(text, SELF_HOSTED, "{head}");
        keys(Catalog::parse(&text).unwrap_err())
    };
    for head in [
        "languages = [\"en\", \"de\", \"es\", \"fr\", \"it\", \"ja\", \"ko\", \"pt\", \"zh-Hans\", \"zh-Hant\"]",
        "[[product]]",
        "[[product.release]]",
        "[type.purchased-oem]",
        "[module.CBS]",
        "[policy.server]",
    ] {
        table(head).iter().for_each(|key| expect(key));
    }
    let rule = SELF_HOSTED.replacen("{ after", "{ zzz = 1, after", 1);
    keys(Catalog::parse(&rule).unwrap_err()).iter().for_each(|key| expect(key));
    let grant = Desk::new(SELF_HOSTED, "backup").text("oem", "zzz = 1\n", "[modules]\n");
    keys(GrantFile::parse(&grant).unwrap_err()).iter().for_each(|key| expect(key));
    let causes = Cause::ALL.iter().filter(|cause| cause.is_of_licenses());
    causes.for_each(|entry| expect(entry.word()));
    Outcome::ALL.iter().for_each(|entry| expect(entry.word()));
    Operation::BUILT_IN.iter().for_each(|entry| expect(entry.word()));
    Model::ALL.iter().for_each(|entry| expect(entry.word()));
    Edition::ALL.iter().for_each(|entry| expect(entry.word()));
    assert!(named > 70, "only {named}");
}

#[test]
fn the_examples_of_the_page_are_a_catalog_and_a_grant_that_fits_it() {
    let blocks = |language: &str| {
        let open = format!("```{language}\n");
        let pieces = PAGE.split(&open).skip(1);
        pieces.map(|piece| piece.split("```").next().unwrap()).collect::<Vec<_>>()
    };
    let texts = blocks("toml");
    let (grants, catalogs): (Vec<_>, Vec<_>) =
        texts.iter().partition(|text| text.contains("licensee"));
    // The parts of the catalog follow one another on the page.
    let catalog: String = catalogs.into_iter().map(|text| format!("{text}\n")).collect();
    let catalog = Catalog::parse(&catalog).unwrap_or_else(|error| panic!("{error}\n{catalog}"));
    assert_eq!(catalog.warnings(), Vec::<String>::new());
    assert_eq!(grants.len(), 1);
    let grant = GrantFile::parse(grants[0]).unwrap();
    grant.ensure_allowed(grant.kind(&catalog).unwrap(), &catalog).unwrap();
}
