/** Says what it is told, as long as somebody may tell it something. */
process.on('message', (word) => process.send(word));
