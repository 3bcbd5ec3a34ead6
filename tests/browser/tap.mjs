// Reporter for node:test: TAP as plain as the C tests write it, which meson reads.
const comment = (text) => String(text).trimEnd().split("\n").map((line) => `# ${line}\n`).join("");

export default async function* tap(source) {
	let count = 0;
	for await (const { type, data } of source) {
		if (type === "test:pass") yield `ok ${++count} - ${data.name}\n`;
		else if (type === "test:fail") {
			yield `not ok ${++count} - ${data.name}\n`;
			yield comment(data.details.error?.cause?.stack ?? data.details.error);
		} else if (type === "test:stdout" || type === "test:stderr") yield comment(data.message);
	}
	yield `1..${count}\n`;
}
