// SPDX-License-Identifier: Apache-2.0
/**
 * c10d's stores in plain Java: a client and a server of {@code TCPStore}'s wire format, and a table
 * in a file. They know keys, values and sockets, and nothing of tensors or of LibTorch.
 *
 * <p>The wire format, all numbers little-endian: a request is one byte that names the query ({@link
 * org.relaydiffusion.torch.c10d.Query}) and its fields; a key or a value is a 64-bit length and the
 * bytes, several keys are a 64-bit count and the keys. The first request of a connection is {@code
 * VALIDATE} with a magic number. A client puts {@code /} in front of every key.
 */
@NullMarked
package org.relaydiffusion.torch.c10d;

import org.jspecify.annotations.NullMarked;
