// What a person does in Slack, by the stand-in's control API.
import { filled } from "/vendors/slack/_play/forms.js";
import { get, listen, post } from "./calls.js";
import { made } from "./chat.js";

const BASE = "/vendors/slack/_play";
const SHOWS = new Set(["message", "message_changed", "message_deleted"]);

export class Slack {
  name = "slack";
  tries = ["/lapsed", "/lapsed stats", "/lapsed upcoming", "/reconnect", "/subscribe-lapses", "/lapsed help"];
  #dialog = null; // the form on the screen: { id, node }

  constructor({ team, name, channel }) {
    this.team = team;
    this.workspace = name;
    this.channel = channel;
  }

  #at(person, place) {
    return { team: this.team, user: person.user, channel: place === "dm" ? "dm" : this.channel };
  }

  /** The messages of a conversation as one person sees them: key, HTML, time in seconds, whether others see it. */
  async history(person, place) {
    if (place === "home") return this.#home(person);
    const { messages } = await get(`${BASE}/history?${new URLSearchParams(this.#at(person, place))}`);
    return messages.map(({ ts, html, ephemeral }) => ({ key: ts, html, at: Number(ts), isPrivate: ephemeral }));
  }

  /** The app's own page, as one message that is always there. */
  async #home(person) {
    const { html } = await get(`${BASE}/home?${new URLSearchParams({ team: this.team, user: person.user })}`);
    return html ? [{ key: "home", html, at: 0, isPrivate: false }] : [];
  }

  /** Come to a place; the app is told when its own page is opened. */
  async open(person, place) {
    if (place === "home") await post(`${BASE}/home`, { team: this.team, user: person.user });
  }

  async send(person, place, text) {
    const there = place === "home" ? "dm" : place; // Slack has no composer on the app's page
    const { error } = await post(`${BASE}/type`, { ...this.#at(person, there), text });
    return error; // Slack shows it in the conversation as well
  }

  /** Press a button, choose from a menu, or tell of a link that was opened; Slack tells the app of all three. */
  async use(person, place, element) {
    const { actionId, blockId, value } = element.dataset;
    if (!actionId) return null;
    const chosen = element.matches("[role=menuitem]") ? value : element.matches("select") ? element.value : undefined;
    const view = element.closest("[data-view-id]");
    if (view) {
      const press = { team: this.team, user: person.user, view_id: view.dataset.viewId, action_id: actionId, block_id: blockId };
      return (await post(`${BASE}/press-view`, { ...press, value: chosen })).error;
    }
    const ts = element.closest("[data-ts]").dataset.ts;
    const body = { ...this.#at(person, place), ts, action_id: actionId, block_id: blockId, value: chosen };
    return (await post(`${BASE}/press`, body)).error;
  }

  /** Put the form on the screen that the app opened for somebody, or take it away; one at a time, as in Slack. */
  async showForm(root, person) {
    const asked = new URLSearchParams({ team: this.team, user: person.user });
    const { view, html } = await get(`${BASE}/view?${asked}`);
    this.#dialog?.remove();
    this.#dialog = null;
    if (!view) return;
    const dialog = made("dialog", "", { className: "slack-dialog" });
    dialog.append(document.createRange().createContextualFragment(html)); // escaped by the stand-in
    root.append(dialog);
    this.#dialog = dialog;
    const form = dialog.querySelector("form");
    const of = { team: this.team, user: person.user, view_id: form.dataset.viewId };
    const close = async () => {
      dialog.remove();
      await post(`${BASE}/close`, of).catch(() => null);
    };
    dialog.addEventListener("cancel", close);
    form.querySelector("[data-close]").addEventListener("click", close);
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      form.setAttribute("aria-busy", "true");
      await post(`${BASE}/submit`, { ...of, values: filled(form) });
      await this.showForm(root, person);
    });
    dialog.addEventListener("click", (event) => {
      const button = event.target.closest("button[data-action-id], a[data-action-id]");
      if (button) this.use(person, "home", button);
    });
    dialog.showModal();
  }

  /** Tells of conversations that changed: {place, user}; no user means everybody there. A view is a form or a home. */
  async listen(heard) {
    const { revision } = await get(`${BASE}/state`);
    listen(`${BASE}/changes?after=${revision}`, (change) => {
      if (change.kind === "view") {
        heard({ place: "home", user: change.user, isNew: false });
        heard({ place: "form", user: change.user, isNew: false });
        return;
      }
      if (!("channel" in change) || !("ts" in change)) return;
      if (change.channel === this.channel) heard({ place: "channel", user: null, isNew: change.kind === "message" });
      // The messages between a person and the app have the person's id with another first letter.
      else heard({ place: "dm", user: "U" + change.channel.slice(1), isNew: SHOWS.has(change.kind) });
    });
  }
}
