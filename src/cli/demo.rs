//! `olr demo`: the whole exchange on this machine, with the functions and files of the real verbs.

use super::context::Context;
use super::output::Output;

#[derive(clap::Args)]
pub struct Args {
    /// Keep the folder and its files.
    #[arg(long)]
    keep: bool,
}

#[cfg(not(feature = "vendor"))]
pub fn run(args: &Args, _: &mut Context) -> olr_core::error::Result<Output> {
    let _ = args.keep;
    let fact = "this build of olr is for servers: the demo also needs the vendor commands";
    Err(olr_core::error::Error::unable(
        olr_core::error::Problem::Unsupported,
        fact,
        "use the vendor's build of olr",
    ))
}

#[cfg(feature = "vendor")]
pub use whole::run;

#[cfg(feature = "vendor")]
mod whole {
    use serde_json::json;
    use std::path::Path;

    use super::{Args, Context, Output};
    use crate::cli::output::put;
    use crate::file::{self, Writing};
    use crate::home::{Home, Import, RequestParams};
    use olr_core::armor::{armor, dearmor};
    use olr_core::error::{Error, Problem, Result};
    use olr_core::machine::Factor;
    use olr_core::report::last_day;
    use olr_core::state::Surroundings;
    use olr_core::time::Instant;
    use olr_core::wire::codec::{Hidden, Text};
    use olr_core::wire::frame::{FILE_CAP, Kind};
    use olr_office::folder::{Folder, Init, Issue, Locked};
    use olr_office::issue::{GrantFile, STARTER_GRANT};
    use olr_office::key::typed::Passphrase;

    pub fn run(args: &Args, context: &mut Context) -> Result<Output> {
        let folder = tempfile::Builder::new().prefix("olr-demo-").tempdir().map_err(|_| {
            Error::unable(
                Problem::Io,
                "a temporary folder cannot be created",
                "set TMPDIR to a folder that you can write to",
            )
        })?;
        let mut demo = Demo { steps: Vec::new(), refusals: Vec::new() };
        demo.play(folder.path(), context)?;
        let mut text = demo.steps.join("\n\n");
        let mut report = json!({"steps": demo.steps, "refusals": demo.refusals, "folder": null});
        if args.keep {
            let kept = folder.keep();
            text += &format!("\n\nThe files are in {}.", file::name(&kept));
            put(&mut report, "folder", json!(file::name(&kept)));
        } else {
            text += "\n\nThe demo deleted its files; `olr demo --keep` keeps them.";
        }
        Ok(Output::new(text, report))
    }

    struct Demo {
        steps: Vec<String>,
        refusals: Vec<String>,
    }

    impl Demo {
        fn play(&mut self, folder: &Path, context: &mut Context) -> Result<()> {
            let (vendor_path, server) = (folder.join("vendor"), folder.join("server"));
            file::make_private_folder(&server)?;
            let init = Init {
                name: "Demo Vendor",
                catalog: None,
                passphrases: None,
                test: true,
                roots: Default::default(),
            };
            let (vendor, trust) = Folder::init(&vendor_path, &init, &mut context.rng)?;
            self.step("The vendor creates its keys (without passphrases in this demo) and gives out vendor.trust.",
                &format!("vendor code {}", trust.vendor_code()));

            let around = self.machine(context);
            let home = Home::at(server.join("home"));
            let trust_file = read(Kind::Trust, &vendor_path.join("vendor.trust"))?;
            let order = order(trust_file, &around)?;
            let made = home.request(&order, &around, &mut context.rng)?;
            write(Kind::Request, &server.join("req.olr"), &made.bytes)?;
            self.step("The server seals this identity, the licensee and the license key into req.olr. Only the vendor can read it.",
                &format!("{} bytes, code to compare by phone {}", made.bytes.len(), made.code));

            let grant = GrantFile::parse(&STARTER_GRANT.replace("\"never\"", "\"1 year\""))?;
            let request = read(Kind::Request, &server.join("req.olr"))?;
            let opened =
                vendor.open_request(&request, Some(&made.code), &trust, &mut no_passphrase)?;
            let issue = Issue::new(&request, &grant, context.now);
            let issued =
                vendor.issue(&opened, &issue, &trust, &mut no_passphrase, &mut context.rng)?;
            let license = issued.outcome.license().ok_or_else(|| {
                Error::unable(Problem::Fault, "no license was issued", "report this as a bug")
            })?;
            let license_file = server.join("license.olr");
            write(Kind::License, &license_file, license.bytes())?;
            self.step("Support staff open req.olr, check it against a grant, and sign license.olr for this \
                machine only.",
                &format!("license {}, {} bytes", license.body().license, license.bytes().len()));

            let license = read(Kind::License, &license_file)?;
            home.import(&license, &around, Default::default())?;
            self.step("The server imports license.olr. It verifies signatures and limits before it stores the license.", "installed");

            let (_, decision) = home.decide(None, None, &around)?;
            if let Some(refusal) = decision.refusal() {
                return Err(refusal.clone());
            }
            let until = decision.license().and_then(|license| license.body().expires);
            self.step("From now on the server verifies the license locally, without a network, until it expires.",
                &format!("licensed until {}", last_day(until)));

            self.flipped_bit(&home, &license, &around)?;
            self.other_machine(&server, &license, &order, &around, context)?;
            self.expired(&home, until, &around)
        }

        /// Reads the machine, adds a step that names its factors, and returns the surroundings.
        fn machine(&mut self, context: &Context) -> Surroundings {
            let (around, _) = context.around(false);
            let kinds: Vec<_> =
                around.factors.iter().filter(|f| f.counts()).map(|f| f.kind.word()).collect();
            self.step(
                "The server reads what identifies this machine. It sends nothing anywhere.",
                &format!(
                    "identified by {}",
                    if kinds.is_empty() {
                        "two demo pins only".to_string()
                    } else {
                        kinds.join(", ")
                    }
                ),
            );
            around
        }

        fn flipped_bit(
            &mut self,
            home: &Home,
            license: &[u8],
            around: &Surroundings,
        ) -> Result<()> {
            let mut flipped = license.to_vec();
            let middle = flipped.len() / 2;
            if let Some(byte) = flipped.get_mut(middle) {
                *byte ^= 1;
            }
            let how = Import { dry_run: true, ..Import::default() };
            self.refused(
                "Refused: the same license with one bit flipped.",
                home.import(&flipped, around, how).err(),
            )
        }

        fn other_machine(
            &mut self,
            server: &Path,
            license: &[u8],
            order: &RequestParams,
            around: &Surroundings,
            context: &mut Context,
        ) -> Result<()> {
            let other = Home::at(server.join("other-machine"));
            let _ = other.request(order, around, &mut context.rng)?;
            let how = Import { dry_run: true, ..Import::default() };
            self.refused(
                "Refused: the same license in another installation.",
                other.import(license, around, how).err(),
            )
        }

        fn expired(
            &mut self,
            home: &Home,
            until: Option<olr_core::time::Day>,
            around: &Surroundings,
        ) -> Result<()> {
            let after = until.map_or(Instant::default(), |day| day.ends());
            let later = Surroundings { clock: after, ..around.clone() };
            let (_, decision) = home.decide(None, None, &later)?;
            self.refused(
                "Refused: the same license on the day after it expires.",
                decision.refusal().cloned(),
            )
        }

        fn step(&mut self, what: &str, result: &str) {
            let number = self.steps.len().saturating_add(1);
            self.steps.push(format!("{number}. {what}\n   {result}"));
        }

        /// Adds a step that was refused, and fails if it was not: a demo without refusals would
        /// prove nothing.
        fn refused(&mut self, what: &str, error: Option<Error>) -> Result<()> {
            let refusal = error.as_ref().and_then(Error::refusal).zip(error.as_ref());
            let Some((word, error)) = refusal else {
                let fact = format!("the demo failed: not {}", what.to_lowercase());
                return Err(Error::unable(Problem::Fault, fact, "report this as a bug"));
            };
            self.refusals.push(word.word().to_string());
            self.step(what, &error.to_string());
            Ok(())
        }
    }

    /// Returns what the demo requests, with two pins if the machine has too few factors, as in a
    /// bare container.
    fn order(trust: Vec<u8>, around: &Surroundings) -> Result<RequestParams> {
        let counting = around.factors.iter().filter(|factor| factor.counts()).count();
        let pins = if counting < 2 {
            vec![Factor::pin("demo=1")?, Factor::pin("asset=4711")?]
        } else {
            Vec::new()
        };
        Ok(RequestParams {
            trust: Some(trust),
            licensee: Some(Text::new("ACME Ltd")?),
            license_key: Some(Hidden(Text::new("AbCd-1234")?)),
            pins,
            ..RequestParams::default()
        })
    }

    fn no_passphrase(_: &Locked) -> Result<Passphrase> {
        Err(Error::unable(
            Problem::Fault,
            "a key of the demo has a passphrase",
            "report this as a bug",
        ))
    }

    fn read(kind: Kind, path: &Path) -> Result<Vec<u8>> {
        let bytes = file::read(path, FILE_CAP)?;
        Ok(dearmor(Some(kind), &bytes)?.into_owned())
    }

    fn write(kind: Kind, path: &Path, bytes: &[u8]) -> Result<()> {
        file::write(path, armor(kind, bytes).as_bytes(), Writing::Public)
    }
}
