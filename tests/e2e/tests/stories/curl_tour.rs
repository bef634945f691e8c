//! The tour in the README, line by line.
//!
//! The block behind `<!-- tour -->` is cut into steps at its lines `# → TEXT`: what the commands since the last one printed must
//! hold TEXT. Lines that begin with `#` and three blanks are commands with `THE CODE` in them, which a person puts in by hand; here
//! the code is taken from the console.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use e2e::{PASSWORD, Portcullis};
use serde_json::json;

/// Commands, and what they must print.
#[derive(Debug, Default)]
struct Step {
    commands: String,
    expected: Vec<String>,
    needs_code: bool,
}

fn readme() -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    fs::read_to_string(path).expect("README.md")
}

/// The steps of the tour.
fn steps(readme: &str) -> Vec<Step> {
    let block = readme.split_once("<!-- tour -->").expect("a tour").1;
    let block = block.split_once("```bash\n").expect("a block").1;
    let block = block.split_once("\n```").expect("its end").0;
    let mut steps = vec![Step::default()];
    for line in block.lines() {
        let last = steps.len() - 1;
        if let Some(text) = line.strip_prefix("# → ") {
            steps[last].expected.push(text.trim().to_owned());
            continue;
        }
        let by_hand = line.strip_prefix("#   ");
        if !steps[last].expected.is_empty() || (by_hand.is_some() && !steps[last].needs_code) {
            steps.push(Step::default());
        }
        let last = steps.len() - 1;
        let command = by_hand.map_or_else(|| line.to_owned(), |line| line.replace("THE CODE", "'$THE_CODE'"));
        if by_hand.is_some() {
            steps[last].needs_code = true;
        } else if steps[last].needs_code && !line.is_empty() {
            steps.push(Step::default());
        }
        let last = steps.len() - 1;
        writeln!(steps[last].commands, "{command}").unwrap();
    }
    steps
}

/// One script of all steps, so that variables live on; each step writes to a file of its own.
fn script(steps: &[Step], folder: &str) -> String {
    let mut script = String::new();
    for (n, step) in steps.iter().enumerate() {
        if step.needs_code {
            writeln!(script, "touch {folder}/wants-code; while [ ! -s {folder}/code ]; do sleep 0.02; done; THE_CODE=$(cat {folder}/code)").unwrap();
        }
        writeln!(
            script,
            "{{\n:\n{}}} >{folder}/{n} 2>&1; echo $? >{folder}/{n}.status",
            step.commands
        )
        .unwrap();
    }
    script
}

async fn walk(server: &Portcullis) {
    let steps = steps(&readme());
    assert!(
        steps.iter().filter(|step| !step.expected.is_empty()).count() >= 5,
        "{steps:?}"
    );
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().display().to_string();
    let seen = server.console().codes_in_all();
    let mut bash = Command::new("bash")
        .args(["-c", &script(&steps, &place)])
        .env("PORTCULLIS_URL", server.address())
        .env("no_proxy", "*")
        .stdin(Stdio::null())
        .spawn()
        .expect("bash");
    let begun = Instant::now();
    while bash.try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < Duration::from_mins(1), "the tour does not end");
        if server.console().codes_in_all() > seen && !folder.path().join("code").exists() {
            let lines = server.console().lines();
            let line = lines
                .iter()
                .rfind(|line| line.starts_with("Two factor code for "))
                .unwrap();
            fs::write(folder.path().join("next"), line.rsplit(' ').next().unwrap()).unwrap();
            fs::rename(folder.path().join("next"), folder.path().join("code")).unwrap();
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    for (n, step) in steps.iter().enumerate() {
        let printed = fs::read_to_string(folder.path().join(n.to_string())).unwrap();
        let status = fs::read_to_string(folder.path().join(format!("{n}.status"))).unwrap();
        assert_eq!(
            status.trim(),
            "0",
            "{}\nended so, after\n{printed}",
            step.commands
        );
        for text in &step.expected {
            assert!(
                printed.contains(text),
                "{}\nprinted\n{printed}\nwithout {text}",
                step.commands
            );
        }
        if step.needs_code {
            assert!(
                printed.contains("\"ttl\":86400"),
                "{}\nprinted\n{printed}",
                step.commands
            );
        }
    }
}

#[tokio::test]
async fn the_tour_of_the_readme_works_line_by_line_and_again_after_kill_9() {
    let server = Portcullis::setup().limited().start().await;
    let ann = server.client().sign_up("ann").await;
    let token = server.client().log_in(&ann).await;
    walk(&server).await;
    let server = server.kill_and_restart().await;
    assert!(server.client().opens(&token, &ann).await);
    server
        .client()
        .post(
            "/api/Users/login",
            json!({ "email": ann.email, "password": PASSWORD }),
        )
        .await
        .expect(200)
        .done();
    walk(&server).await;
}

#[test]
fn the_tour_is_cut_where_it_says_what_to_expect() {
    let steps = steps(
        "x\n<!-- tour -->\n```bash\na=1\n# note\nb\n# → one\n\nc\n# by hand:\n#   d THE CODE\n\ne\n# → two\n# → three\n```\n",
    );
    let told: Vec<_> = steps
        .iter()
        .map(|step| {
            (
                step.commands.lines().count(),
                step.expected.len(),
                step.needs_code,
            )
        })
        .collect();
    assert_eq!(told, [(3, 1, false), (3, 0, false), (2, 0, true), (1, 2, false)]);
    assert_eq!(steps[2].commands, "d '$THE_CODE'\n\n");
}
