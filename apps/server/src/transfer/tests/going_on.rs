//! Stopped anywhere and taken up again, a move ends as if it had not been stopped.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::*;

async fn try_export(place: &Place, target: &std::path::Path, resume: bool) -> Result<Option<u64>, String> {
    let exported = export_to(&place.stores, &header(), target, resume, &Silent).await;
    exported
        .map(|exported| exported.resumed)
        .map_err(|error| error.to_string())
}

#[tokio::test]
async fn an_export_goes_on_from_every_byte_it_may_have_been_stopped_at() {
    let place = filled(in_memory()).await;
    let whole = place.exported().await;
    let folder = tempfile::tempdir().unwrap();
    let breaks: Vec<usize> = whole.match_indices('\n').map(|(at, _)| at + 1).collect();
    let middles = (0..whole.len()).step_by(151);
    for length in breaks.iter().copied().chain(middles).collect::<BTreeSet<_>>() {
        let target = folder.path().join(format!("{length}"));
        fs::write(
            folder.path().join(format!("{length}.part")),
            &whole.as_bytes()[..length],
        )
        .unwrap();
        let resumed = try_export(&place, &target, true).await.unwrap();
        assert_eq!(resumed.is_some(), length >= breaks[0], "at {length}");
        let written = fs::read_to_string(&target).unwrap();
        checked(&written).unwrap();
        assert_eq!(records(&written), records(&whole), "at {length}");
        assert_eq!(
            written.lines().last().unwrap(),
            whole.lines().last().unwrap(),
            "at {length}"
        );
        assert!(!folder.path().join(format!("{length}.part")).exists());
    }
}

#[tokio::test]
async fn rubbish_at_the_end_of_a_part_is_written_again() {
    let place = filled(in_memory()).await;
    let whole = place.exported().await;
    let third = whole.match_indices('\n').nth(3).unwrap().0 + 1;
    let folder = tempfile::tempdir().unwrap();
    for (number, rubbish) in [&b"\0\0\0\0\n\0\0"[..], b"{\"role\":{}}\n", b"\n", b"\xff\n"]
        .iter()
        .enumerate()
    {
        let target = folder.path().join(format!("{number}"));
        let part = [&whole.as_bytes()[..third], rubbish].concat();
        fs::write(folder.path().join(format!("{number}.part")), part).unwrap();
        assert_eq!(try_export(&place, &target, true).await, Ok(Some(3)));
        assert_eq!(records(&fs::read_to_string(&target).unwrap()), records(&whole));
    }
}

#[tokio::test]
async fn an_export_is_for_its_owner_alone_and_has_its_name_only_when_it_is_whole() {
    let place = filled(in_memory()).await;
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("all.jsonl");
    assert_eq!(try_export(&place, &target, false).await, Ok(None));
    assert_eq!(fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    let refused = try_export(&place, &target, true).await.unwrap_err();
    assert!(refused.contains("is there already"), "{refused}");
}

#[tokio::test]
async fn a_part_is_neither_overwritten_unasked_nor_mixed_with_another_store() {
    let place = filled(in_memory()).await;
    let folder = tempfile::tempdir().unwrap();
    let (target, part) = (folder.path().join("a"), folder.path().join("a.part"));
    let mut other = header();
    other.pools.pop();
    let line = super::frame::header_line(&other).unwrap() + "\n";
    fs::write(&part, &line).unwrap();
    let refused = try_export(&place, &target, false).await.unwrap_err();
    assert!(refused.contains("--resume"), "{refused}");
    let refused = try_export(&place, &target, true).await.unwrap_err();
    assert!(refused.contains("another store or other pools"), "{refused}");
    assert_eq!(fs::read_to_string(&part).unwrap(), line);
    assert!(!target.exists());
}

#[tokio::test]
async fn two_processes_do_not_write_one_part() {
    let place = filled(in_memory()).await;
    let folder = tempfile::tempdir().unwrap();
    let part = fs::File::create(folder.path().join("a.part")).unwrap();
    part.try_lock().unwrap();
    let refused = try_export(&place, &folder.path().join("a"), true)
        .await
        .unwrap_err();
    assert!(refused.contains("another process"), "{refused}");
}

#[tokio::test]
async fn an_import_goes_on_from_every_record_it_may_have_been_stopped_at() {
    let file = filled(in_memory()).await.exported().await;
    let total = checked(&file).unwrap().records();
    for done in 0..=usize::try_from(total).unwrap() {
        for way in [Way::WriteFirst, Way::LookFirst] {
            let target = in_memory();
            let mut lines = reading(&file);
            for _ in 0..done {
                match lines.record().unwrap().unwrap() {
                    super::record::Record::Access(it) => put_access(&target, &it).await,
                    super::record::Record::User(user) => put_all(&target, &[*user], &[], &[]).await,
                    super::record::Record::Application(it) => put_all(&target, &[], &[it], &[]).await,
                    super::record::Record::Session(it) => put_all(&target, &[], &[], &[it]).await,
                    super::record::Record::Message(it) => target.stores.outbox.put(&it).await.unwrap(),
                }
            }
            let (report, verified) = target.import(&file, way).await;
            let there = u64::try_from(done).unwrap();
            assert_eq!((report.new, report.present), (total - there, there), "{way:?}");
            assert!(verified.is_complete(&checked(&file).unwrap()));
            assert_eq!(records(&target.exported().await), records(&file));
        }
    }
}

#[tokio::test]
async fn an_import_that_is_dropped_half_way_ends_the_same_when_it_is_run_again() {
    let file = filled(in_memory()).await.exported().await;
    let checked = checked(&file).unwrap();
    let target = on_disk();
    for patience in 0..12 {
        let going = import(&target.stores, reading(&file), &checked, Way::WriteFirst, &Silent);
        let patience = std::time::Duration::from_millis(patience);
        let _ = tokio::time::timeout(patience, going).await;
    }
    let (_, verified) = target.import(&file, Way::LookFirst).await;
    assert!(verified.is_complete(&checked));
    assert_eq!(records(&target.exported().await), records(&file));
}

#[tokio::test]
async fn a_store_that_is_away_for_a_moment_is_waited_for() {
    use domain::ports::PortError;
    let asked = AtomicI64::new(0);
    let answer = super::stores::persist(|| async {
        match asked.fetch_add(1, Ordering::Relaxed) {
            0 => Err(PortError::unavailable("away")),
            1 => Err(PortError::Busy {
                retry_after: Lifetime::ZERO,
            }),
            asked => Ok(asked),
        }
    });
    assert_eq!(answer.await.unwrap(), 2);
    let stale = super::stores::persist(|| async { Err::<(), _>(PortError::Stale) });
    assert!(matches!(stale.await, Err(PortError::Stale)));
}
