//! People who use the server.

use serde_json::json;

use crate::client::Client;

/// The password of everybody who has no other.
pub const PASSWORD: &str = "a gate of oak and iron";

/// Somebody with an account.
#[derive(Clone, Debug)]
pub struct Person {
    /// The path of their pool, `/api/Users` for example.
    pub pool: String,
    /// Their id.
    pub id: String,
    /// Their address.
    pub email: String,
    /// Their password.
    pub password: String,
}

impl Person {
    /// Their own record.
    pub fn path(&self) -> String {
        format!("{}/{}", self.pool, self.id)
    }

    /// A place below their pool.
    pub fn of_pool(&self, rest: &str) -> String {
        format!("{}/{rest}", self.pool)
    }
}

impl Client {
    /// Signs somebody up at `/api/Users`, as `NAME@example.com`.
    pub async fn sign_up(&self, name: &str) -> Person {
        self.sign_up_in("Users", name).await
    }

    /// Signs somebody up in a pool.
    ///
    /// # Panics
    /// When that is refused.
    pub async fn sign_up_in(&self, pool: &str, name: &str) -> Person {
        let (pool, email) = (format!("/api/{pool}"), format!("{name}@example.com"));
        let reply = self
            .post(&pool, json!({ "email": email, "password": PASSWORD }))
            .await
            .expect(200);
        let id = reply.at("id");
        assert!(!id.is_empty(), "an id that is no text: {}", reply.text);
        Person {
            pool,
            id,
            email,
            password: PASSWORD.to_owned(),
        }
    }

    /// Logs somebody in with their password, and gives the token.
    ///
    /// # Panics
    /// When that is refused.
    pub async fn log_in(&self, person: &Person) -> String {
        let body = json!({ "email": person.email, "password": person.password });
        let token = self
            .post(&person.of_pool("login"), body)
            .await
            .expect(200)
            .at("id");
        assert_eq!(token.len(), 64, "a token has 64 characters");
        token
    }

    /// Tries a password; the status of the answer.
    pub async fn try_password(&self, person: &Person, password: &str) -> u16 {
        let body = json!({ "email": person.email, "password": password });
        self.post(&person.of_pool("login"), body).await.status
    }

    /// Whether a token opens somebody's record.
    ///
    /// # Panics
    /// When the answer is neither 200 nor 401.
    pub async fn opens(&self, token: &str, person: &Person) -> bool {
        match self.with(token).get(&person.path()).await.status {
            200 => true,
            401 => false,
            other => panic!("a record is open or closed, not {other}"),
        }
    }
}
