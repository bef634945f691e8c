// Passkeys for the forms that ask for them (data-passkey). Without this script, or without an authenticator, the other ways stay.
"use strict";

(() => {
  // Longest time that an authenticator's question lies open beside a log-in form: shorter than it lives on the server.
  const RENEW = 4 * 60 * 1000;

  const bytes = (text) => {
    const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
  };

  const text = (buffer) => {
    const letters = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte));
    return btoa(letters.join("")).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  };

  // What the browser's interface wants as bytes comes as text (WebAuthn section 5.1.9 and 5.1.10).
  const opened = (options) => {
    const listed = (list) => list && list.map((key) => ({ ...key, id: bytes(key.id) }));
    const open = { ...options, challenge: bytes(options.challenge) };
    if (options.user) open.user = { ...options.user, id: bytes(options.user.id) };
    if (options.allowCredentials) open.allowCredentials = listed(options.allowCredentials);
    if (options.excludeCredentials) open.excludeCredentials = listed(options.excludeCredentials);
    return open;
  };

  const closed = (credential) => {
    const { response } = credential;
    const parts = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];
    const answer = {};
    for (const part of parts) {
      if (response[part]) answer[part] = text(response[part]);
    }
    if (response.getTransports) answer.transports = response.getTransports();
    return {
      id: credential.id,
      rawId: text(credential.rawId),
      type: credential.type,
      response: answer,
      authenticatorAttachment: credential.authenticatorAttachment || undefined,
      clientExtensionResults: credential.getClientExtensionResults(),
    };
  };

  // What to ask: written into the page, or fetched for a log-in that names nobody.
  const question = async (form) => {
    if (form.dataset.options) {
      return { ceremony: form.elements.ceremony.value, publicKey: JSON.parse(form.dataset.options) };
    }
    const reply = await fetch(form.dataset.passkeyUrl, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      body: "{}",
    });
    if (!reply.ok) throw new Error(`status ${reply.status}`);
    return reply.json();
  };

  const send = (form, ceremony, credential) => {
    form.elements.ceremony.value = ceremony;
    form.elements.credential.value = JSON.stringify(closed(credential));
    // A box that stands in the form beside this one counts for both.
    for (const field of form.querySelectorAll("input[data-follows]")) {
      field.disabled = !document.getElementById(field.dataset.follows).checked;
    }
    HTMLFormElement.prototype.submit.call(form);
  };

  const complain = (form) => {
    const line = form.querySelector("[data-passkey-failed]");
    if (line) line.hidden = false;
  };

  let waiting = null;

  const stop = () => {
    if (waiting) waiting.abort();
    waiting = null;
  };

  const ask = async (form) => {
    stop();
    try {
      const { ceremony, publicKey } = await question(form);
      const options = { publicKey: opened(publicKey) };
      const making = form.dataset.passkey === "create";
      const answer = making ? await navigator.credentials.create(options) : await navigator.credentials.get(options);
      if (answer) send(form, ceremony, answer);
      else complain(form);
    } catch {
      complain(form);
    }
  };

  // Passkeys among the suggestions of the name field ("conditional mediation"); silent where that is not known.
  const suggest = async (form) => {
    const known = PublicKeyCredential.isConditionalMediationAvailable;
    if (!known || !(await known.call(PublicKeyCredential))) return;
    stop();
    const mine = new AbortController();
    waiting = mine;
    const again = setTimeout(() => suggest(form), RENEW);
    try {
      const { ceremony, publicKey } = await question(form);
      if (mine.signal.aborted) return;
      const answer = await navigator.credentials.get({
        publicKey: opened(publicKey),
        mediation: "conditional",
        signal: mine.signal,
      });
      if (answer) send(form, ceremony, answer);
    } catch {
      // Taken back, or not to be had: the form is still there.
    } finally {
      if (waiting !== mine) clearTimeout(again);
    }
  };

  const offered = Boolean(window.PublicKeyCredential && navigator.credentials);
  for (const hint of document.querySelectorAll("[data-passkey-missing]")) {
    hint.hidden = offered;
  }
  if (!offered) return;
  for (const form of document.querySelectorAll("form[data-passkey]")) {
    form.hidden = false;
    for (const line of document.querySelectorAll("[data-passkey-offer]")) line.hidden = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      ask(form);
    });
    if ("suggest" in form.dataset) suggest(form);
  }
})();
