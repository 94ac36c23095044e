// What a person does in Slack, by the stand-in's control API.
import { get, listen, post } from "./calls.js";

const BASE = "/vendors/slack/_play";
const SHOWS = new Set(["message", "message_changed", "message_deleted"]);

export class Slack {
  name = "slack";
  tries = ["/lapsed", "/lapsed mine", "/lapsed why", "/subscribe-lapses all", "/lapsed help"];

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
    const { messages } = await get(`${BASE}/history?${new URLSearchParams(this.#at(person, place))}`);
    return messages.map(({ ts, html, ephemeral }) => ({ key: ts, html, at: Number(ts), isPrivate: ephemeral }));
  }

  async send(person, place, text) {
    const { error } = await post(`${BASE}/type`, { ...this.#at(person, place), text });
    return error; // Slack shows it in the conversation as well
  }

  /** Press a button, choose from a menu, or tell of a link that was opened; Slack tells the app of all three. */
  async use(person, place, element) {
    const { actionId, blockId, value } = element.dataset;
    if (!actionId) return null;
    const chosen = element.matches("[role=menuitem]") ? value : element.matches("select") ? element.value : undefined;
    const ts = element.closest("[data-ts]").dataset.ts;
    const body = { ...this.#at(person, place), ts, action_id: actionId, block_id: blockId, value: chosen };
    return (await post(`${BASE}/press`, body)).error;
  }

  /** Tells of conversations that changed: {place, user}; no user means everybody there. */
  async listen(heard) {
    const { revision } = await get(`${BASE}/state`);
    listen(`${BASE}/changes?after=${revision}`, (change) => {
      if (!("channel" in change) || !("ts" in change)) return;
      if (change.channel === this.channel) heard({ place: "channel", user: null, isNew: change.kind === "message" });
      // The messages between a person and the app have the person's id with another first letter.
      else heard({ place: "dm", user: "U" + change.channel.slice(1), isNew: SHOWS.has(change.kind) });
    });
  }
}
