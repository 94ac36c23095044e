// What a person does in Discord, by the stand-in's control API.
import { offerChoices, showForm } from "/vendors/discord/_play/people.js";
import { get, listen, post, Refused } from "./calls.js";

const BASE = "/vendors/discord/_play";
const SUBCOMMAND = 1;

export class Discord {
  name = "discord";
  tries = ["/lapsed", "/lapsed show:stats", "/lapsed show:upcoming", "/reconnect", "/subscribe-lapses", "/lapsed show:help"];
  #people = new Map(); // a DM's channel, to the person in it

  constructor({ name, channel }) {
    this.workspace = name;
    this.channel = channel;
  }

  #at(person, place) {
    return { user: person.user, channel: place === "dm" ? null : this.channel };
  }

  async history(person, place) {
    const asked = { user: person.user, ...(place === "dm" ? {} : { channel: this.channel }) };
    const { messages } = await get(`${BASE}/history?${new URLSearchParams(asked)}`);
    return messages.map(({ id, html, at, ephemeral }) => ({ key: id, html, at: Date.parse(at) / 1000, isPrivate: ephemeral }));
  }

  async send(person, place, text) {
    const at = this.#at(person, place);
    if (!text.startsWith("/")) {
      await post(`${BASE}/say`, { ...at, content: text });
      return null;
    }
    const asked = { user: person.user, ...(at.channel ? { channel: at.channel } : {}) };
    const commands = await get(`${BASE}/commands?${new URLSearchParams(asked)}`);
    const { command, options } = filledIn(text, commands);
    const typed = { command, options };
    return this.#after(person, await post(`${BASE}/run`, { ...at, ...typed }), "The application did not respond.");
  }

  async use(person, place, element) {
    const message = element.closest("[data-message-id]").dataset.messageId;
    if (element.dataset.dismiss) {
      await post(`${BASE}/dismiss`, { user: person.user, message });
      return null;
    }
    const { customId } = element.dataset;
    if (!customId) return null; // Discord tells nobody of a link that was opened
    const chosen = element.matches("select") ? { values: [element.value] } : {};
    const path = element.matches("select") ? "choose" : "press";
    const body = { user: person.user, message, custom_id: customId, ...chosen };
    return this.#after(person, await post(`${BASE}/${path}`, body), "This interaction failed.");
  }

  /** What follows from an act: a form is shown and its answer followed; a failure is said as Discord says it. */
  async #after(person, answer, fault) {
    if (answer.status === "failed") return fault;
    if (answer.modal_html) await showForm(document.querySelector("#discord"), person.user, answer);
    return null;
  }

  /** Offer choices in the composer for the option that is being typed last. */
  offer(input, where) {
    offerChoices(input, async (text) => {
      const { person, place } = where();
      const at = this.#at(person, place);
      if (!text.startsWith("/") || !/\s\S*$/.test(text)) return null;
      const asked = { user: person.user, ...(at.channel ? { channel: at.channel } : {}) };
      const commands = await get(`${BASE}/commands?${new URLSearchParams(asked)}`);
      let typed;
      try {
        typed = filledIn(text, commands);
      } catch {
        return null; // not a command yet
      }
      const [, focused] = [...text.matchAll(/([a-z-]+):/g)].at(-1) ?? [];
      if (!typed.options[focused] || !typed.offered.find(({ name }) => name === focused)?.autocomplete) return null;
      const before = text.slice(0, text.lastIndexOf(`${focused}:`));
      const accept = ({ value }) => (input.value = `${before}${focused}:${value} `);
      return { ...at, command: typed.command, options: typed.options, focused, accept };
    });
  }

  async listen(heard) {
    const { seq, users } = await get(`${BASE}/state`);
    this.#remember(users);
    listen(`${BASE}/changes?after=${seq}`, async (change) => {
      if (!change.type.startsWith("message_")) return;
      const isNew = change.type === "message_created";
      if (change.channel_id === this.channel) return heard({ place: "channel", user: null, isNew });
      if (!this.#people.has(change.channel_id)) this.#remember((await get(`${BASE}/state`)).users);
      heard({ place: "dm", user: this.#people.get(change.channel_id), isNew });
    });
  }

  #remember(users) {
    for (const { id, dm_channel: channel } of users) if (channel) this.#people.set(channel, id);
  }
}

/**
 * A typed line as Discord's own composer would have it filled in: a command, and options by name.
 * There is no free text beside options in Discord; a bare word is taken for the option that offers it as a choice.
 */
function filledIn(line, commands) {
  const words = line.slice(1).trim().split(/\s+/);
  const command = commands.find(({ name }) => name === words[0]);
  if (!command) throw new Refused(`There is no /${words[0]}. There are: ${commands.map((c) => "/" + c.name).join(", ")}`);
  const path = [words.shift()];
  let offered = command.options ?? [];
  const sub = offered.find((option) => option.type === SUBCOMMAND && option.name === words[0]);
  if (sub) {
    path.push(words.shift());
    offered = sub.options ?? [];
  }
  const options = {};
  let last = null;
  for (const word of words) {
    const [, key, rest] = /^([a-z-]+):(.*)$/.exec(word) ?? [];
    const byChoice = offered.find((o) => o.choices?.some((c) => c.value === word)) ?? offered.find((o) => o.name === word);
    if (key && offered.some((option) => option.name === key)) {
      options[key] = rest;
      last = key;
    } else if (last !== null) {
      options[last] = `${options[last]} ${word}`.trim(); // a value of several words
    } else if (byChoice) {
      options[byChoice.name] = byChoice.name === word ? byChoice.choices?.[0]?.value ?? "" : word;
    } else {
      throw new Refused(`In Discord, say which option you mean: ${offered.map((o) => o.name + ":").join(" ")}`);
    }
  }
  return { command: path.join(" "), options, offered };
}
