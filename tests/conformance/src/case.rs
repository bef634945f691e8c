//! From one list of cases to one named test each.

use std::future::Future;
use std::time::Duration;

/// How long a case may take before it counts as stuck. Generous: a loaded machine must never fail here.
const STUCK_AFTER: Duration = Duration::from_secs(300);

/// Runs one case on a runtime with several threads, so that races are races.
pub fn run(case: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .expect("a runtime starts");
    let finished = runtime.block_on(async { tokio::time::timeout(STUCK_AFTER, case).await });
    assert!(finished.is_ok(), "stuck for {STUCK_AFTER:?}");
}

/// Turns a list of cases into a module of tests. `$room` is the module of the cases in this crate, `$fixture` an `async fn`
/// without arguments in the calling module; its result is made anew for every case, lent to it, and dropped after it.
#[macro_export]
macro_rules! cases {
    ($room:ident, $fixture:ident, [$($case:ident),+ $(,)?]) => {
        mod $room {
            $(
                #[test]
                fn $case() {
                    $crate::run(async {
                        let fixture = super::$fixture().await;
                        $crate::$room::$case(&fixture).await;
                    });
                }
            )+
        }
    };
}

#[cfg(test)]
mod tests {
    /// The cases a source file defines that the list in its macro leaves out.
    fn unlisted(source: &str) -> Vec<&str> {
        let (list, _) = source.split_once("\n    };\n}\n").expect("the macro comes first");
        source
            .lines()
            .filter_map(|line| line.strip_prefix("pub async fn "))
            .filter_map(|rest| rest.split(['(', '<']).next())
            .filter(|name| !list.contains(&format!("{name},")))
            .collect()
    }

    #[test]
    fn every_case_is_in_the_list_of_its_port() {
        let rooms = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src")).unwrap();
        let mut seen = 0;
        for room in rooms {
            let path = room.unwrap().path();
            if path.is_dir() {
                continue;
            }
            let source = std::fs::read_to_string(path).unwrap();
            if source.contains("\nmacro_rules! ") && source.contains("$crate::cases!(") {
                assert_eq!(unlisted(&source), Vec::<&str>::new());
                seen += 1;
            }
        }
        assert!(seen >= 15, "only {seen} lists of cases found");
    }
}
