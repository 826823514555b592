/** Networks as the official Python code pickles them: its classes, their attributes and order. */
@NullMarked
package org.relaydiffusion.checkpoint.writing;

import org.jspecify.annotations.NullMarked;
