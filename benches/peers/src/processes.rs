//! Whole programs that verify a file, from start to exit status.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::content::Content;
use crate::measure::Contestant;
use crate::world::World;

/// A program that is run again and again.
struct Program<'a> {
    name: &'static str,
    signatures: u32,
    words: &'a [&'a str],
    /// File on its standard input.
    input: Option<&'a str>,
}

/// The programs that are installed, each with a valid file in `folder`. Names the others on
/// standard error. The first program verifies nothing: it shows what starting a program costs.
pub fn contestants(
    world: &World,
    olr: &str,
    static_olr: Option<&str>,
    folder: &Path,
) -> Vec<Contestant> {
    let content = Content::of(world.license.body()).json(0);
    fs::write(folder.join("content"), &content).expect("a file with the content");
    let home = world.folder.path().join("home");
    let home = home.to_str().expect("a path in UTF-8");
    let (file, license) = (content.len(), world.license.bytes().len());
    let verify_static = [static_olr.unwrap_or_default(), "verify", "--home", home];
    let program = |name, signatures, words| Program { name, signatures, words, input: None };
    [
        hello(folder).then(|| program("static hello", 0, &["./hello"])).map(|it| (it, 0)),
        Some((program("olr verify", 2, &[olr, "verify", "--home", home]), license)),
        static_olr.is_some().then(|| (program("olr verify, static", 2, &verify_static), license)),
        minisign(folder).then(|| {
            let words = &["minisign", "-V", "-q", "-p", "minisign.pub", "-m", "content"];
            (program("minisign -V", 2, words), file)
        }),
        openssl(folder).then(|| {
            let words = &[
                "openssl",
                "pkeyutl",
                "-verify",
                "-pubin",
                "-inkey",
                "openssl.pub",
                "-rawin",
                "-in",
                "content",
                "-sigfile",
                "openssl.sig",
            ];
            (program("openssl pkeyutl -verify", 1, words), file)
        }),
        ssh(folder).then(|| {
            let words = &[
                "ssh-keygen",
                "-Y",
                "verify",
                "-f",
                "signers",
                "-I",
                "vendor",
                "-n",
                "file",
                "-s",
                "content.sig",
            ];
            let program = program("ssh-keygen -Y verify", 1, words);
            (Program { input: Some("content"), ..program }, file)
        }),
    ]
    .into_iter()
    .flatten()
    .map(|(program, bytes)| program.contestant(bytes, folder))
    .collect()
}

impl Program<'_> {
    fn contestant(&self, bytes: usize, folder: &Path) -> Contestant {
        let words: Vec<_> = self.words.iter().map(|word| word.to_string()).collect();
        let (folder, input) = (folder.to_path_buf(), self.input.map(|input| folder.join(input)));
        let work = move || {
            let input = input.as_ref().map(|input| File::open(input).expect("an input"));
            let mut command = Command::new(&words[0]);
            command.args(&words[1..]).current_dir(&folder);
            command.stdin(input.map_or_else(Stdio::null, Stdio::from));
            command.stdout(Stdio::null()).stderr(Stdio::null());
            command.status().is_ok_and(|status| status.success())
        };
        let checks = String::new();
        let (name, signatures) = (self.name, self.signatures);
        Contestant { name, bytes, signatures, checks, work: Box::new(work) }
    }
}

/// Compiles a statically linked program that prints one line. False if that fails.
fn hello(folder: &Path) -> bool {
    fs::write(folder.join("hello.rs"), "fn main() { println!(\"hello\") }").expect("a source file");
    let compile = "rustc --target $(rustc -vV | sed -n 's/^host: //p') -O \
        -C target-feature=+crt-static hello.rs";
    prepare("static hello", folder, &[compile])
}

fn minisign(folder: &Path) -> bool {
    prepare(
        "minisign",
        folder,
        &[
            "minisign -G -W -p minisign.pub -s minisign.key",
            "minisign -S -s minisign.key -m content -t 'of the peers'",
        ],
    )
}

fn openssl(folder: &Path) -> bool {
    prepare(
        "openssl",
        folder,
        &[
            "openssl genpkey -algorithm ed25519 -out openssl.key",
            "openssl pkey -in openssl.key -pubout -out openssl.pub",
            "openssl pkeyutl -sign -inkey openssl.key -rawin -in content -out openssl.sig",
        ],
    )
}

fn ssh(folder: &Path) -> bool {
    prepare(
        "ssh-keygen",
        folder,
        &[
            "ssh-keygen -q -t ed25519 -N '' -C vendor -f ssh.key",
            "ssh-keygen -q -Y sign -f ssh.key -n file content",
            "printf 'vendor %s\\n' \"$(cat ssh.key.pub)\" > signers",
        ],
    )
}

/// Runs shell commands in `folder`. If one fails, says so on standard error and returns false.
fn prepare(name: &str, folder: &Path, commands: &[&str]) -> bool {
    let run = |command: &&str| {
        let mut shell = Command::new("sh");
        shell.args(["-c", command]).current_dir(folder).stdin(Stdio::null());
        shell.output().is_ok_and(|output| output.status.success())
    };
    let prepared = commands.iter().all(run);
    if !prepared {
        eprintln!("{name}: skipped, it is not installed or too old");
    }
    prepared
}
