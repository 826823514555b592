/** What crosses modules. */
@NullMarked
package org.relaydiffusion.tests;

import org.jspecify.annotations.NullMarked;
