// The rules of docs/scoring.md in plain JavaScript: what somebody would write who does not think of
// speed first and does nothing foolish. `node scoring.mjs FOLDER` reads the columns that
// bench/engine.py wrote, scores every board twice and prints the second time in milliseconds; the
// boards go to FOLDER/boards.json, so that they can be compared.
import { readFileSync, writeFileSync } from "node:fs";

const folder = process.argv[2];
const { rules, roster, windows } = JSON.parse(readFileSync(`${folder}/world.json`, "utf8"));

function column(name, Type) {
  const bytes = readFileSync(`${folder}/${name}.bin`);
  return new Type(bytes.buffer, bytes.byteOffset, bytes.byteLength / Type.BYTES_PER_ELEMENT);
}

const when = column("event_timestamp", Float64Array);
const type = column("type", Uint8Array);
const user = column("user", Float64Array);
const repository = column("repository", Float64Array);
const value = column("value_e4", Int32Array);
const flags = column("flags", Uint16Array);
const state = column("review_state", Uint8Array);
const additions = column("additions", Int32Array);
const deletions = column("deletions", Int32Array);
const hash = column("content_hash", Uint8Array);

const DAY = 86_400_000_000;
const [COMMIT, PR_CLOSE_NO_MERGE, ISSUE_CLOSE, REVIEW, REVIEW_COMMENT, SPAM, PR_MERGE] =
  [0, 3, 5, 6, 7, 9, 2];
const CATEGORY = [0, 1, 1, 1, 3, 3, 2, 2, 4, 5];
const PENALTIES = 5;

function mul(a, b) {
  const product = Math.floor((Math.abs(a) * b + 5_000) / 10_000);
  return a < 0 ? -product : product;
}

function inOrder() {
  const order = new Uint32Array(when.length).map((_, i) => i);
  return order.sort((a, b) => {
    if (when[a] !== when[b]) return when[a] - when[b];
    if (type[a] !== type[b]) return type[a] - type[b];
    for (let k = 0; k < 32; k++) {
      const difference = hash[a * 32 + k] - hash[b * 32 + k];
      if (difference !== 0) return difference;
    }
    return user[a] - user[b];
  });
}

function outcome(i) {
  const on = rules.zeroPoints;
  if ((type[i] === REVIEW || type[i] === REVIEW_COMMENT) && flags[i] & 2 && on.self_review)
    return "self_review";
  if (type[i] === PR_MERGE && flags[i] & 4 && on.self_merge) return "self_merge";
  if (type[i] === ISSUE_CLOSE && !(flags[i] & 32) && on.issue_closed_no_pr)
    return "issue_closed_no_pr";
  if (type[i] === PR_CLOSE_NO_MERGE && on.pr_closed_no_merge) return "pr_closed_no_merge";
  return type[i] === SPAM ? "penalty_only" : "earned";
}

function newEntity() {
  return {
    breakdown: [0, 0, 0, 0, 0, 0],
    counts: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    additions: 0,
    deletions: 0,
    days: new Map(),
    week: NaN,
    inWeek: 0,
    seen: new Set(),
  };
}

function judge(entity, i, limited) {
  const kind = type[i];
  entity.counts[kind]++;
  if (kind === COMMIT) {
    entity.additions = Math.min(entity.additions + additions[i], 2_147_483_647);
    entity.deletions = Math.min(entity.deletions + deletions[i], 2_147_483_647);
  }
  if (kind === SPAM) entity.breakdown[PENALTIES] += mul(rules.spamPenalty, value[i]);
  if (kind === PR_CLOSE_NO_MERGE)
    entity.breakdown[PENALTIES] += mul(rules.closedPenalty, value[i]);
  if (outcome(i) !== "earned") return;
  let points = mul(rules.basePoints[kind], value[i]);
  if (points === 0) return;
  if (limited) {
    const day = Math.floor(when[i] / DAY);
    const known = entity.days.get(kind);
    const inDay = known !== undefined && known.day === day ? known.count + 1 : 1;
    entity.days.set(kind, { day, count: inDay });
    const quota = rules.dailyQuotas[kind];
    if (quota !== null && inDay > quota) return;
    const week = Math.floor((day + 3) / 7);
    entity.inWeek = entity.week === week ? entity.inWeek + 1 : 1;
    entity.week = week;
    const over = entity.inWeek - rules.weeklyThreshold;
    if (over > 0)
      points = mul(points, Math.max(rules.floorFraction, 10_000 - rules.decayFactor * over));
  }
  const { first, merged, linked } = rules.multipliers;
  if (!entity.seen.has(kind) && first.types.includes(kind)) points = mul(points, first.factor);
  entity.seen.add(kind);
  if (flags[i] & 8 && merged.types.includes(kind)) points = mul(points, merged.factor);
  if (flags[i] & 16 && linked.types.includes(kind)) points = mul(points, linked.factor);
  if (kind === REVIEW && rules.reviewWeights[state[i]] !== null)
    points = mul(points, rules.reviewWeights[state[i]]);
  entity.breakdown[CATEGORY[kind]] += points;
}

// The entities of some signals in their order, by id.
function evaluate(signals, from, entityOf, limited) {
  const entities = new Map();
  for (const i of signals) {
    if (when[i] < from) continue;
    const id = entityOf[i];
    let entity = entities.get(id);
    if (entity === undefined) entities.set(id, (entity = newEntity()));
    judge(entity, i, limited);
  }
  return entities;
}

function teamsOf(people) {
  const teams = new Map();
  for (const { id, members } of roster.teams) {
    for (const member of members) {
      const person = people.get(member);
      if (person === undefined) continue;
      let team = teams.get(id);
      if (team === undefined) teams.set(id, (team = newEntity()));
      person.breakdown.forEach((part, n) => (team.breakdown[n] += part));
      person.counts.forEach((count, n) => (team.counts[n] += count));
      team.additions = Math.min(team.additions + person.additions, 2_147_483_647);
      team.deletions = Math.min(team.deletions + person.deletions, 2_147_483_647);
    }
  }
  return teams;
}

function ranked(entities) {
  const rows = [];
  for (const [id, entity] of entities) {
    const score = entity.breakdown.reduce((sum, part) => sum + part, 0);
    rows.push([id, score, 0, entity.additions, ...entity.breakdown, ...entity.counts]);
  }
  rows.sort((a, b) => b[1] - a[1] || a[0] - b[0]);
  rows.forEach((row, n) => {
    row[2] = n > 0 && rows[n - 1][1] === row[1] ? rows[n - 1][2] : n + 1;
  });
  return rows;
}

function scopes(order) {
  const all = [];
  const byRepository = new Map(roster.repositories.map((id) => [id, []]));
  const byTeam = new Map(roster.teams.map(({ id }) => [id, []]));
  const teamsOfUser = new Map();
  for (const { id, members } of roster.teams)
    for (const member of members)
      teamsOfUser.set(member, [...(teamsOfUser.get(member) ?? []), id]);
  for (const i of order) {
    all.push(i);
    byRepository.get(repository[i]).push(i);
    for (const team of teamsOfUser.get(user[i]) ?? []) byTeam.get(team).push(i);
  }
  return { all, byRepository, byTeam };
}

function scoreAll() {
  const boards = {};
  const { all, byRepository, byTeam } = scopes(inOrder());
  windows.forEach((from, w) => {
    const people = evaluate(all, from, user, true);
    boards[`0/${roster.organization}/0/${w}`] = ranked(people);
    boards[`0/${roster.organization}/1/${w}`] = ranked(teamsOf(people));
    boards[`0/${roster.organization}/2/${w}`] = ranked(evaluate(all, from, repository, false));
    for (const [team, signals] of byTeam) {
      boards[`1/${team}/0/${w}`] = ranked(evaluate(signals, from, user, true));
      boards[`1/${team}/2/${w}`] = ranked(evaluate(signals, from, repository, false));
    }
    for (const [id, signals] of byRepository) {
      const here = evaluate(signals, from, user, true);
      boards[`2/${id}/0/${w}`] = ranked(here);
      boards[`2/${id}/1/${w}`] = ranked(teamsOf(here));
    }
  });
  return boards;
}

scoreAll();
const started = performance.now();
const boards = scoreAll();
const milliseconds = performance.now() - started;
writeFileSync(`${folder}/boards.json`, JSON.stringify(boards));
console.log(milliseconds.toFixed(3));
