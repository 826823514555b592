// SPDX-License-Identifier: Apache-2.0
/** Networks as pickled by the official Python code: its classes, their attributes and order. */
@NullMarked
package org.relaydiffusion.checkpoint.writing;

import org.jspecify.annotations.NullMarked;
