//! Different modules for queries and documents. Follows sentence_transformers/base/modules/router.py.

use crate::Prompt;
use crate::settings::Module;
use mlx_nn::{Config, Error, Result};
use serde_json::Value;

/// Which of a model's routes a text takes.
#[derive(Clone, Debug, PartialEq)]
pub struct Router {
    names: Vec<String>,
    default: Option<usize>,
    /// Routes by task and medium, either of which may be any.
    mappings: Vec<(Option<String>, Option<String>, usize)>,
}

impl Router {
    /// The router among the modules, if there is one, and for each of its routes the modules of the whole way. Without a router
    /// there is one way.
    pub fn expand(modules: Vec<Module>) -> Result<(Option<Self>, Vec<Vec<Module>>)> {
        let is_router = |module: &Module| ["Router", "Asym"].contains(&module.kind.as_str());
        let Some(at) = modules.iter().position(is_router) else { return Ok((None, vec![modules])) };
        let (router, routes) = Self::read(&modules[at])?;
        let whole = |route: Vec<Module>| {
            let (before, behind) = (&modules[..at], &modules[at + 1..]);
            [before, &route, behind].concat()
        };
        let ways: Vec<Vec<Module>> = routes.into_iter().map(whole).collect();
        match ways.iter().flatten().find(|module| is_router(module)) {
            Some(second) => Err(Error::msg("a model has one router, and this is a second.").in_file(&second.dir)),
            None => Ok((Some(router), ways)),
        }
    }

    fn read(module: &Module) -> Result<(Self, Vec<Vec<Module>>)> {
        let files = ["router_config.json", "config.json"].map(|file| module.dir.join(file));
        let c = Config::read(files.iter().find(|file| file.is_file()).unwrap_or(&files[0]))?;
        let object = |key: &str| c.value(key).and_then(Value::as_object).ok_or_else(|| c.missing(key));
        let (types, structure) = (object("types")?, object("structure")?);
        let part = |id: &Value| {
            let id = id.as_str()?;
            let kind = types.get(id)?.as_str()?.rsplit('.').next()?.to_owned();
            Some(Module { kind, dir: module.dir.join(id) })
        };
        let mut names = Vec::new();
        let mut routes = Vec::new();
        for (name, parts) in structure {
            let parts = parts.as_array().and_then(|parts| parts.iter().map(part).collect::<Option<Vec<_>>>());
            routes.push(parts.ok_or_else(|| c.wrong("structure", "lists of names under `types`", name))?);
            names.push(name.clone());
        }
        if names.is_empty() {
            return Err(c.wrong("structure", "an object of routes", "empty"));
        }
        let empty = Config::new(serde_json::Map::new(), c.origin());
        let parameters = c.object("parameters")?.unwrap_or(empty);
        let known = |key: &str, name: &str| {
            let place = names.iter().position(|known| known == name);
            place.ok_or_else(|| parameters.wrong(key, &format!("one of {}", names.join(", ")), name))
        };
        let default = match parameters.opt_text("default_route")? {
            Some(name) => Some(known("default_route", name)?),
            None if parameters.opt_flag("allow_empty_key")?.unwrap_or(true) => Some(0),
            None => None,
        };
        let mut mappings = Vec::new();
        if let Some(Value::Object(entries)) = parameters.value("route_mappings") {
            for (key, route) in entries {
                let route = known("route_mappings", route.as_str().unwrap_or_default())?;
                mappings.extend(pair(key).map(|(task, medium)| (task, medium, route)));
            }
        }
        Ok((Self { names, default, mappings }, routes))
    }

    /// The number of the route for texts with this prompt. An error names the routes where none is meant for them.
    pub fn route(&self, prompt: &Prompt) -> Result<usize> {
        let task = match prompt {
            Prompt::Query => Some("query"),
            Prompt::Document => Some("document"),
            _ => None,
        };
        const TEXT: Option<&str> = Some("text");
        let mapped = |task: Option<&str>, medium: Option<&str>| {
            let fits = |entry: &&(Option<String>, Option<String>, usize)| {
                (entry.0.as_deref(), entry.1.as_deref()) == (task, medium)
            };
            self.mappings.iter().find(fits).map(|entry| entry.2)
        };
        let named = |name: &str| self.names.iter().position(|known| known == name);
        let found = [(task, TEXT), (task, None), (None, TEXT), (None, None)];
        let found = found.into_iter().find_map(|(task, medium)| mapped(task, medium));
        let found = found.or_else(|| task.and_then(named)).or_else(|| named("text"));
        let routes = self.names.join(", ");
        match (found, task) {
            (Some(route), _) => Ok(route),
            (None, Some(task)) => Err(Error::msg(format!("The model has no route for {task} texts, only: {routes}."))),
            (None, None) => self.default.ok_or_else(|| {
                Error::msg(format!(
                    "The model has no route for texts without a role, only: {routes}. Encode them as queries or documents."
                ))
            }),
        }
    }
}

/// Task and medium as Python writes a pair: `('query', None)`. A medium of several kinds is none that texts have.
fn pair(key: &str) -> Option<(Option<String>, Option<String>)> {
    let (task, medium) = key.trim().strip_prefix('(')?.strip_suffix(')')?.split_once(',')?;
    let part = |part: &str| match part.trim() {
        "None" => Some(None),
        quoted => {
            let quote = quoted.chars().next().filter(|quote| ['\'', '"'].contains(quote))?;
            let text = quoted.strip_prefix(quote)?.strip_suffix(quote)?;
            Some(Some(text.to_owned()))
        }
    };
    Some((part(task)?, part(medium)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn router(parameters: &str) -> Result<Router> {
        let dir = tempfile::tempdir().unwrap();
        let text = format!(
            r#"{{"types": {{"a": "x.Pooling", "b": "x.Dense"}}, "structure": {{"query": ["a"], "document": ["a", "b"]}},
            "parameters": {parameters}}}"#
        );
        std::fs::write(dir.path().join("router_config.json"), text).unwrap();
        let module = |kind: &str| Module { kind: kind.into(), dir: dir.path().to_owned() };
        let (router, ways) = Router::expand(vec![module("Transformer"), module("Router"), module("Normalize")])?;
        let kinds = |way: &Vec<Module>| way.iter().map(|module| module.kind.clone()).collect::<Vec<_>>();
        assert_eq!(kinds(&ways[0]), ["Transformer", "Pooling", "Normalize"]);
        assert_eq!(kinds(&ways[1]), ["Transformer", "Pooling", "Dense", "Normalize"]);
        Ok(router.unwrap())
    }

    #[test]
    fn texts_take_the_route_of_their_role() {
        let plain = router(r#"{"default_route": "document"}"#).unwrap();
        assert_eq!(plain.route(&Prompt::Query).unwrap(), 0);
        assert_eq!(plain.route(&Prompt::Document).unwrap(), 1);
        assert_eq!(plain.route(&Prompt::Text("x".into())).unwrap(), 1);
        assert_eq!(router("{}").unwrap().route(&Prompt::Default).unwrap(), 0);
        let mapped = r#"{"route_mappings": {"('query', None)": "document", "(None, ('text', 'image'))": "query"}}"#;
        assert_eq!(router(mapped).unwrap().route(&Prompt::Query).unwrap(), 1);
        let any = r#"{"route_mappings": {"(None, \"text\")": "document"}}"#;
        assert_eq!(router(any).unwrap().route(&Prompt::Default).unwrap(), 1);
    }

    #[test]
    fn a_role_without_a_route_is_an_error() {
        let strict = router(r#"{"allow_empty_key": false}"#).unwrap();
        let error = strict.route(&Prompt::Default).unwrap_err().to_string();
        assert!(error.contains("query, document"), "{error}");
        let error = router(r#"{"default_route": "image"}"#).unwrap_err().to_string();
        assert!(error.contains("default_route") && error.contains("image"), "{error}");
    }
}
