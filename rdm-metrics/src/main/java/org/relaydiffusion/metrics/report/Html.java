// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.report;

import java.util.Base64;
import org.relaydiffusion.Printable;
import org.relaydiffusion.diffusion.image.Compression;
import org.relaydiffusion.diffusion.image.Pixels;
import org.relaydiffusion.diffusion.image.PngWriter;

/** Text and images as parts of a page. */
final class Html {
  private Html() {}

  /** Escapes {@code text} for elements and quoted attributes. */
  static String text(String text) {
    StringBuilder escaped = new StringBuilder(text.length());
    Printable.line(text)
        .codePoints()
        .forEach(c -> {
          switch (c) {
            case '&' -> escaped.append("&amp;");
            case '<' -> escaped.append("&lt;");
            case '>' -> escaped.append("&gt;");
            case '"' -> escaped.append("&quot;");
            case '\'' -> escaped.append("&#39;");
            default -> escaped.appendCodePoint(c);
          }
        });
    return escaped.toString();
  }

  /** Returns an embedded image. */
  static String image(Pixels pixels, String alternative) {
    String data = Base64.getEncoder().encodeToString(PngWriter.encode(pixels, Compression.BEST));
    return "<img width=\"%s\" height=\"%s\" alt=\"%s\" src=\"data:image/png;base64,%s\">"
        .formatted(pixels.width(), pixels.height(), text(alternative), data);
  }
}
