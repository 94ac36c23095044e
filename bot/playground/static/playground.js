// The playground: two chats and a panel, and one browser that is somebody's.
import { get, post } from "./calls.js";
import { ChatPane } from "./chat.js";
import { Discord } from "./discord.js";
import { Panel } from "./panel.js";
import { Slack } from "./slack.js";

/** Whose browser this is: who is logged in at the chat platforms and at the networks. */
class Visitor {
  #becoming = Promise.resolve();

  constructor(people, key, root) {
    this.people = people;
    this.key = key;
    this.root = root;
    this.#tell();
  }

  /** Log in everywhere as somebody else, and sign out of the bot. One change after the other: the last choice holds. */
  become(person) {
    this.#becoming = this.#becoming.catch(() => {}).then(() => this.#become(person));
    return this.#becoming;
  }

  async #become(person) {
    if (person.key === this.key) return;
    await post("/playground/api/person", { person: person.key });
    await fetch("/sign-out", { method: "POST" });
    this.key = person.key;
    this.#tell();
  }

  #tell() {
    const { name = "nobody", about = "" } = this.people.find(({ key }) => key === this.key) ?? {};
    const who = Object.assign(document.createElement("b"), { textContent: name });
    this.root.replaceChildren("This browser is ", who, about && `, who ${about}`, ".");
    this.root.dataset.person = this.key ?? "";
  }
}

async function start() {
  const scene = await get("/playground/api/scene");
  const visitor = new Visitor(scene.people, scene.acting, document.querySelector("#browser"));
  if (!visitor.key) await visitor.become(scene.people[0]);
  const on = (platform) => scene.people.filter((person) => person.platform === platform);
  const panes = [
    new ChatPane(document.querySelector("#slack"), new Slack(scene.slack), on("slack"), visitor, scene.now),
    new ChatPane(document.querySelector("#discord"), new Discord(scene.discord), on("discord"), visitor, scene.now),
  ];
  // A break is told to whoever connected the account: their messages come to the front.
  const show = async (key) => {
    const pane = panes.find(({ people }) => people.some((person) => person.key === key));
    if (!pane) return;
    pane.place = "dm";
    await pane.be(pane.people.find((person) => person.key === key));
  };
  const panel = new Panel(document.querySelector("#panel"), scene.breakages, scene.steps, show);
  document.addEventListener("heard", () => panel.soon());
  await Promise.all([...panes.map((pane) => pane.start()), panel.start()]);
  document.documentElement.dataset.ready = "";
}

start();
