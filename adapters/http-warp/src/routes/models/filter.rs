//! LoopBack's filter over records: `where`, `order`, `skip`, `limit`, `fields`. The server's own models are few enough to be read whole.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::super::users::output::Selection;
use crate::extract::json;
use crate::extract::query::Query;
use crate::problem::Problem;

/// Most names in the brackets of one parameter.
const DEEPEST: usize = 8;

/// What a reader asks for.
#[derive(Debug, Default)]
pub struct Filter {
    condition: Where,
    order: Vec<(String, bool)>,
    skip: usize,
    limit: Option<usize>,
    fields: Selection,
}

/// A condition on one record.
#[derive(Debug, Default)]
pub struct Where(Vec<Clause>);

#[derive(Debug)]
enum Clause {
    /// One property.
    Of(String, Test),
    And(Vec<Where>),
    Or(Vec<Where>),
}

#[derive(Debug)]
enum Test {
    Is(Value),
    IsNot(Value),
    In(Vec<Value>),
    NotIn(Vec<Value>),
    /// Compares this way, or (where the flag is set) is equal.
    Beyond(Ordering, bool, Value),
    Between(Value, Value),
}

impl Filter {
    /// Reads `?filter=<JSON>` or its bracket form.
    ///
    /// # Errors
    /// 400 for what is no filter, and for parts of one that are not known here.
    pub fn of(query: &Query) -> Result<Self, Problem> {
        let mut filter = object(query, "filter")?;
        let condition = Where::of(filter.remove("where"))?;
        let order = order(filter.remove("order"))?;
        let skip = number(filter.remove("skip").or_else(|| filter.remove("offset")), "skip")?;
        let limit = number(filter.remove("limit"), "limit")?;
        Ok(Self {
            condition,
            order,
            skip: skip.unwrap_or_default(),
            limit: limit.filter(|limit| *limit > 0),
            fields: Selection::of(query)?,
        })
    }

    /// The condition alone.
    pub fn condition(&self) -> &Where {
        &self.condition
    }

    /// How many records must be known for the answer, if they come in the order that is asked for; none where another is. Without a
    /// limit it is `usual`, and never more than `most`.
    pub fn reach(&self, usual: usize, most: usize) -> Option<usize> {
        let limit = self.limit.unwrap_or(usual);
        let asked = self.order.is_empty() && limit <= most;
        asked.then(|| self.skip.saturating_add(limit))
    }

    /// The same, but without a limit of its own it has this one.
    #[must_use]
    pub fn at_most(self, usual: usize) -> Self {
        Self {
            limit: self.limit.or(Some(usual)),
            ..self
        }
    }

    /// The records asked for.
    pub fn apply(&self, records: Vec<Value>) -> Vec<Value> {
        let mut fit: Vec<Value> = records
            .into_iter()
            .filter(|record| self.condition.fits(record))
            .collect();
        fit.sort_by(|one, other| self.compare(one, other));
        let wanted = fit.into_iter().skip(self.skip);
        let wanted = wanted.take(self.limit.unwrap_or(usize::MAX));
        wanted.map(|record| self.fields.pick(record)).collect()
    }

    fn compare(&self, one: &Value, other: &Value) -> Ordering {
        let by = |(name, falling): &(String, bool)| {
            let order = place_of(&one[name], &other[name]);
            if *falling { order.reverse() } else { order }
        };
        let mut orders = self.order.iter().map(by);
        orders.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }
}

impl Where {
    /// Reads `?where=<JSON>` or its bracket form, as `count` has it.
    ///
    /// # Errors
    /// As [`Filter::of`].
    pub fn alone(query: &Query) -> Result<Self, Problem> {
        Self::of(Some(Value::Object(object(query, "where")?)))
    }

    fn of(condition: Option<Value>) -> Result<Self, Problem> {
        let map = match condition {
            None | Some(Value::Null) => return Ok(Self::default()),
            Some(Value::Object(map)) => map,
            Some(_) => return Err(Problem::bad_request("where must be an object")),
        };
        let clause = |(name, value): (String, Value)| {
            Ok(match name.as_str() {
                "and" => Clause::And(all(value)?),
                "or" => Clause::Or(all(value)?),
                _ => Clause::Of(name, Test::of(value)?),
            })
        };
        map.into_iter().map(clause).collect::<Result<_, _>>().map(Self)
    }

    /// Whether a record is asked for.
    pub fn fits(&self, record: &Value) -> bool {
        self.0.iter().all(|clause| match clause {
            Clause::Of(name, test) => test.fits(&record[name.as_str()]),
            Clause::And(all) => all.iter().all(|condition| condition.fits(record)),
            Clause::Or(any) => any.iter().any(|condition| condition.fits(record)),
        })
    }

    /// Whether everything fits.
    pub fn is_none(&self) -> bool {
        self.0.is_empty()
    }

    /// The text a property must equal, where nothing else will do: what a store can look up.
    pub fn equal(&self, property: &str) -> Option<String> {
        self.0.iter().find_map(|clause| match clause {
            Clause::Of(name, Test::Is(value)) if name == property => text(value),
            Clause::Of(..) | Clause::And(_) | Clause::Or(_) => None,
        })
    }
}

impl Test {
    fn of(value: Value) -> Result<Self, Problem> {
        let Value::Object(map) = value else {
            return Ok(Self::Is(value));
        };
        let mut pairs = map.into_iter();
        let unknown = || Problem::bad_request("where holds an operator that is not known here");
        let (Some((operator, value)), None) = (pairs.next(), pairs.next()) else {
            return Err(unknown());
        };
        Ok(match operator.as_str() {
            "eq" => Self::Is(value),
            "neq" => Self::IsNot(value),
            "inq" => Self::In(list(value)?),
            "nin" => Self::NotIn(list(value)?),
            "gt" => Self::Beyond(Ordering::Greater, false, value),
            "gte" => Self::Beyond(Ordering::Greater, true, value),
            "lt" => Self::Beyond(Ordering::Less, false, value),
            "lte" => Self::Beyond(Ordering::Less, true, value),
            "between" => {
                let ends: Result<[Value; 2], _> = list(value)?.try_into();
                let [low, high] = ends.map_err(|_| unknown())?;
                Self::Between(low, high)
            }
            _ => return Err(unknown()),
        })
    }

    fn fits(&self, value: &Value) -> bool {
        let is = |other: &Value| compare(value, other).is_eq();
        match self {
            Self::Is(wanted) => is(wanted),
            Self::IsNot(unwanted) => !is(unwanted),
            Self::In(any) => any.iter().any(is),
            Self::NotIn(none) => !none.iter().any(is),
            Self::Beyond(way, or_equal, bound) => {
                let order = compare(value, bound);
                !value.is_null() && (order == *way || *or_equal && order.is_eq())
            }
            Self::Between(low, high) => {
                !value.is_null() && compare(value, low).is_ge() && compare(value, high).is_le()
            }
        }
    }
}

/// A property beside what a reader wrote: by size where it is a number and that can be read as one (a query in brackets has texts alone),
/// else by text, so that an id is found whichever way it is written. What is not there comes first.
fn compare(one: &Value, other: &Value) -> Ordering {
    let read = |value: &Value| value.as_f64().or_else(|| value.as_str()?.parse().ok());
    match (one.is_number() || other.is_number(), read(one), read(other)) {
        (true, Some(one), Some(other)) => one.total_cmp(&other),
        _ => text(one).cmp(&text(other)),
    }
}

/// Where a record stands by one property: nothing, then numbers by size, then everything else by its text. One order for all of them,
/// for a list may have ids of both kinds.
fn place_of(one: &Value, other: &Value) -> Ordering {
    match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => one.total_cmp(&other),
        (Some(_), None) if !other.is_null() => Ordering::Less,
        (None, Some(_)) if !one.is_null() => Ordering::Greater,
        _ => text(one).cmp(&text(other)),
    }
}

/// A value as text; none for what is none.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

fn all(value: Value) -> Result<Vec<Where>, Problem> {
    list(value)?
        .into_iter()
        .map(|condition| Where::of(Some(condition)))
        .collect()
}

fn list(value: Value) -> Result<Vec<Value>, Problem> {
    match value {
        Value::Array(list) => Ok(list),
        _ => Err(Problem::bad_request("where needs a list there")),
    }
}

/// `name`, `name ASC`, `name DESC`, or a list of them.
fn order(value: Option<Value>) -> Result<Vec<(String, bool)>, Problem> {
    let bad = || Problem::bad_request("order must be a property and ASC or DESC, or a list of them");
    let one = |value: Value| {
        let text = value.as_str().ok_or_else(bad)?.trim();
        let (name, way) = text.split_once(' ').unwrap_or((text, "ASC"));
        match way.trim() {
            "ASC" | "asc" => Ok((name.to_owned(), false)),
            "DESC" | "desc" => Ok((name.to_owned(), true)),
            _ => Err(bad()),
        }
    };
    match value {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(list)) => list.into_iter().map(one).collect(),
        Some(value) => one(value).map(|order| vec![order]),
    }
}

/// A whole number; in brackets it comes as text.
fn number(value: Option<Value>, name: &str) -> Result<Option<usize>, Problem> {
    let number = match value {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Number(number)) => number.as_u64(),
        Some(Value::String(text)) => text.parse().ok(),
        Some(_) => None,
    };
    let number = number.and_then(|number| usize::try_from(number).ok());
    let bad = || Problem::bad_request(format!("{name} must be a whole number"));
    number.map(Some).ok_or_else(bad)
}

/// A parameter that is an object: as JSON, or name by name in brackets.
fn object(query: &Query, parameter: &str) -> Result<Map<String, Value>, Problem> {
    let not_an_object = || Problem::bad_request("Value is not an object.");
    let mut whole = query.pairs().iter().filter(|(name, _)| name == parameter);
    match (whole.next(), whole.next()) {
        (Some(_), Some(_)) => return Err(not_an_object()),
        (Some((_, text)), None) if text.is_empty() => return Ok(Map::new()),
        (Some((_, text)), None) => {
            return match json::parse(text.as_bytes()) {
                Ok(Value::Object(object)) => Ok(object),
                Ok(Value::Null) => Ok(Map::new()),
                Ok(_) | Err(_) => Err(not_an_object()),
            };
        }
        (None, _) => {}
    }
    let mut root = Value::Object(Map::new());
    for (name, value) in query.pairs() {
        let Some(path) = name.strip_prefix(parameter).and_then(brackets) else {
            continue;
        };
        place(&mut root, &path, value).ok_or_else(not_an_object)?;
    }
    match lists(root) {
        Value::Object(object) => Ok(object),
        _ => Err(not_an_object()),
    }
}

/// `[a][b]` as its names; none where it is nothing of the kind.
fn brackets(text: &str) -> Option<Vec<&str>> {
    let inner = text.strip_prefix('[')?.strip_suffix(']')?;
    let names: Vec<&str> = inner.split("][").collect();
    (names.len() <= DEEPEST).then_some(names)
}

fn place(node: &mut Value, path: &[&str], value: &str) -> Option<()> {
    let (name, rest) = path.split_first()?;
    let map = node.as_object_mut()?;
    // `[]` is the next of a list.
    let name = if name.is_empty() {
        map.len().to_string()
    } else {
        (*name).to_owned()
    };
    if rest.is_empty() {
        let is_new = map.insert(name, Value::String(value.to_owned())).is_none();
        return is_new.then_some(());
    }
    let child = map.entry(name).or_insert_with(|| Value::Object(Map::new()));
    place(child, rest, value)
}

/// Objects whose names are the positions 0, 1, 2 … are lists.
fn lists(value: Value) -> Value {
    let Value::Object(map) = value else {
        return value;
    };
    let is_list = !map.is_empty() && (0..map.len()).all(|place| map.contains_key(&place.to_string()));
    let inner = map.into_iter().map(|(name, value)| (name, lists(value)));
    if !is_list {
        return Value::Object(inner.collect());
    }
    let mut items: Vec<(usize, Value)> = inner
        .filter_map(|(name, value)| Some((name.parse().ok()?, value)))
        .collect();
    items.sort_by_key(|(place, _)| *place);
    Value::Array(items.into_iter().map(|(_, value)| value).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn records() -> Vec<Value> {
        vec![
            json!({"id": "a", "n": 10, "word": "x"}),
            json!({"id": "b", "n": 9}),
            json!({"id": "c", "n": 9, "word": "y"}),
        ]
    }

    fn ids(query: &str) -> Option<String> {
        let encoded: String = form_urlencoded::byte_serialize(query.as_bytes()).collect();
        let found = Filter::of(&Query::parse(&format!("filter={encoded}")));
        let found = found.ok()?.apply(records());
        Some(
            found
                .iter()
                .map(|record| record["id"].as_str().unwrap_or("-"))
                .collect(),
        )
    }

    #[test]
    fn conditions_are_loopbacks() {
        for (condition, expected) in [
            (json!({}), "abc"),
            (json!({"id": "b"}), "b"),
            (json!({"n": 9}), "bc"),
            (json!({"n": "9"}), "bc"),
            (json!({"n": 9, "word": "y"}), "c"),
            (json!({"word": null}), "b"),
            (json!({"word": {"neq": "x"}}), "bc"),
            (json!({"id": {"inq": ["a", "c", "z"]}}), "ac"),
            (json!({"id": {"nin": ["a"]}}), "bc"),
            (json!({"n": {"gt": 9}}), "a"),
            (json!({"n": {"lte": 9}}), "bc"),
            (json!({"word": {"gt": "a"}}), "ac"),
            (json!({"n": {"between": [10, 11]}}), "a"),
            (json!({"or": [{"id": "a"}, {"word": "y"}]}), "ac"),
            (json!({"and": [{"n": 9}, {"id": "b"}]}), "b"),
        ] {
            let filter = json!({"where": condition});
            assert_eq!(ids(&filter.to_string()).as_deref(), Some(expected), "{filter}");
        }
    }

    #[test]
    fn records_are_ordered_and_paged() {
        for (filter, expected) in [
            (json!({"order": "id DESC"}), "cba"),
            (json!({"order": ["n", "id DESC"]}), "cba"),
            (json!({"order": "n ASC"}), "bca"),
            (json!({"limit": 2}), "ab"),
            (json!({"limit": 1, "skip": 1}), "b"),
            (json!({"offset": 2}), "c"),
            (json!({"limit": 0}), "abc"),
            (json!({"fields": ["n"]}), "---"),
        ] {
            assert_eq!(ids(&filter.to_string()).as_deref(), Some(expected), "{filter}");
        }
    }

    #[test]
    fn an_id_is_found_as_number_and_as_text_and_all_have_one_order() {
        let records = [json!("b"), json!(10), json!("5a"), json!(9), Value::Null];
        let records = records.map(|id| json!({ "id": id })).to_vec();
        for (query, expected) in [
            (r#"filter={"where":{"id":10}}"#, json!([10])),
            (r#"filter={"where":{"id":"10"}}"#, json!([10])),
            ("filter[where][id]=10", json!([10])),
            ("filter[where][id][lt]=10", json!([9])),
            ("filter[order]=id", json!([null, 9, 10, "5a", "b"])),
            ("filter[order]=id DESC", json!(["b", "5a", 10, 9, null])),
        ] {
            let found = Filter::of(&Query::parse(query)).expect("a filter");
            let found = found.apply(records.clone());
            let found: Value = found.iter().map(|record| record["id"].clone()).collect();
            assert_eq!(found, expected, "{query}");
        }
    }

    #[test]
    fn what_is_no_filter_is_refused() {
        for bad in [
            "x",
            "[]",
            r#"{"where":1}"#,
            r#"{"where":{"n":{"regexp":"x"}}}"#,
            r#"{"where":{"n":{"gt":1,"lt":2}}}"#,
            r#"{"where":{"n":{"between":[1]}}}"#,
            r#"{"where":{"or":{"a":1}}}"#,
            r#"{"limit":-1}"#,
            r#"{"limit":{}}"#,
            r#"{"order":1}"#,
            r#"{"order":"id UP"}"#,
        ] {
            assert_eq!(ids(bad), None, "{bad}");
        }
    }

    #[test]
    fn brackets_say_the_same() {
        let query =
            "filter[where][id][inq][0]=a&filter[where][id][inq][1]=c&filter[order]=id DESC&filter[limit]=1";
        let found = Filter::of(&Query::parse(query))
            .expect("a filter")
            .apply(records());
        assert_eq!(found, [json!({"id": "c", "n": 9, "word": "y"})]);
        let alone = Where::alone(&Query::parse("where[word]=x")).expect("a condition");
        assert_eq!(records().iter().filter(|record| alone.fits(record)).count(), 1);
        assert_eq!(alone.equal("word").as_deref(), Some("x"));
        assert!(Where::alone(&Query::parse("where[a]=1&where[a][b]=2")).is_err());
    }
}
