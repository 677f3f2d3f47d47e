/* SPDX-License-Identifier: GPL-2.0 */
/*
 * model TEXT...: one control line for the device model, and its answer, from inside the guest.
 *
 * The words go as one line over a serial port to scripts/vm/run, which hands them to the model
 * through QEMU and answers with one line: '=' and the reply, or '!' and what went wrong.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <termios.h>
#include <unistd.h>

static const char *const kChannel = "/dev/ttyS2";

static int complain(const char *what)
{
	fprintf(stderr, "model: ");
	perror(what);
	return 2;
}

static int send_all(int channel, const char *text, size_t length)
{
	while (length) {
		ssize_t done = write(channel, text, length);

		if (done < 0)
			return -1;
		text += done;
		length -= done;
	}
	return 0;
}

int main(int argc, char **argv)
{
	static char line[65536];
	struct termios settings;
	size_t length = 0;
	int channel;
	char kind;

	if (argc < 2) {
		fprintf(stderr, "usage: model objects | model help | model COMMAND...\n");
		return 2;
	}
	for (int i = 1; i < argc; i++)
		length += snprintf(line + length, sizeof(line) - length, "%s%s", i > 1 ? " " : "", argv[i]);

	channel = open(kChannel, O_RDWR | O_NOCTTY);
	if (channel < 0)
		return complain(kChannel);
	/* Callers take turns, or they would read each other's answers. */
	if (flock(channel, LOCK_EX))
		return complain("flock");
	if (tcgetattr(channel, &settings))
		return complain(kChannel);
	cfmakeraw(&settings);
	if (tcsetattr(channel, TCSANOW, &settings))
		return complain(kChannel);

	line[length++] = '\n';
	if (send_all(channel, line, length))
		return complain(kChannel);

	length = 0;
	do {
		ssize_t got = read(channel, line + length, sizeof(line) - length);

		if (got <= 0)
			return complain("no answer");
		length += got;
	} while (line[length - 1] != '\n' && length < sizeof(line));

	kind = line[0];
	fwrite(line + 1, 1, length - 1, kind == '=' ? stdout : stderr);
	return kind == '=' ? 0 : 1;
}
