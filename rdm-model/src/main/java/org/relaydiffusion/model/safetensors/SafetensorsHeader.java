// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model.safetensors;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.FileException;
import org.relaydiffusion.Printable;
import org.relaydiffusion.io.MappedFile;
import org.relaydiffusion.torch.DType;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;

/**
 * The header of a safetensors file: eight bytes of length, then JSON.
 *
 * @param tensors what the header says of each tensor, in the header's order; nothing of it has been
 *     held against the file yet
 * @param metadata the entry {@code __metadata__}, empty when there is none
 * @param dataStart where in the file the tensors' bytes begin
 */
record SafetensorsHeader(Map<String, Claim> tensors, Map<String, String> metadata, long dataStart) {
  /** The reference implementation's bound on the length of a header. */
  static final long LONGEST = 100_000_000;

  private static final int MOST_AXES = 64;
  private static final String METADATA = "__metadata__";
  private static final JsonFactory JSON =
      JsonFactory.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .streamReadConstraints(StreamReadConstraints.builder().maxNestingDepth(4).build())
          .build();

  /**
   * What a header says of one tensor.
   *
   * @param type of the elements, by safetensors' name
   * @param dtype the same, where it is one that can be loaded
   * @param shape the sizes
   * @param begin relative to the first tensor's
   * @param end relative to the first tensor's
   */
  record Claim(String type, Optional<DType> dtype, long[] shape, long begin, long end) {
    /** Bytes an element takes. */
    int byteSize() {
      return dtype.map(DType::byteSize).orElseGet(() -> otherByteSize(type));
    }
  }

  /** Bytes an element takes of a type that the format has but nothing here loads; 0 for others. */
  private static int otherByteSize(String type) {
    return switch (type) {
      case "F8_E4M3", "F8_E5M2", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ" -> 1;
      case "U16" -> 2;
      case "U32" -> 4;
      case "U64", "C64" -> 8;
      default -> 0;
    };
  }

  static SafetensorsHeader read(MappedFile file) {
    long length = file.i64(0, "the length of the safetensors header");
    if (length < 2 || length > LONGEST) {
      throw new FileException(
          file.path(),
          "the safetensors header claims %s bytes, expected 2 to %s"
              .formatted(Long.toUnsignedString(length), LONGEST));
    }
    byte[] bytes = file.bytes(8, (int) length, "the safetensors header");
    try (JsonParser json = JSON.createParser(ObjectReadContext.empty(), decode(file, bytes))) {
      return new Reader(file, json).header(8 + length);
    } catch (JacksonException e) {
      throw bad(file, "is not the JSON expected: " + Printable.of(e.getOriginalMessage()), e);
    }
  }

  private static String decode(MappedFile file, byte[] bytes) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw bad(file, "is not UTF-8", e);
    }
  }

  private static FileException bad(MappedFile file, String what, @Nullable Throwable cause) {
    return new FileException(file.path(), "the safetensors header " + what, cause);
  }

  /** Walks the tokens; every token that is not the one expected ends it. */
  private record Reader(MappedFile file, JsonParser json) {
    SafetensorsHeader header(long dataStart) {
      Map<String, Claim> tensors = new LinkedHashMap<>();
      Map<String, String> metadata = new LinkedHashMap<>();
      expect(JsonToken.START_OBJECT, "the header");
      while (json.nextToken() != JsonToken.END_OBJECT) {
        String name = json.currentName();
        if (name.equals(METADATA)) {
          readMetadata(metadata);
        } else {
          tensors.put(name, claim(name));
        }
      }
      if (json.nextToken() != null) {
        throw bad(file, "has data after its end", null);
      }
      return new SafetensorsHeader(tensors, metadata, dataStart);
    }

    private void readMetadata(Map<String, String> metadata) {
      expect(JsonToken.START_OBJECT, METADATA);
      while (json.nextToken() != JsonToken.END_OBJECT) {
        String key = json.currentName();
        expect(JsonToken.VALUE_STRING, METADATA + "." + key);
        metadata.put(key, json.getString());
      }
    }

    private Claim claim(String name) {
      String type = null;
      long[] shape = null;
      long[] offsets = null;
      expect(JsonToken.START_OBJECT, name);
      while (json.nextToken() != JsonToken.END_OBJECT) {
        String field = json.currentName();
        switch (field) {
          case "dtype" -> type = type(name);
          case "shape" -> shape = longs(name + ".shape", MOST_AXES);
          case "data_offsets" -> offsets = longs(name + ".data_offsets", 2);
          default -> throw unexpected(name, "an unknown field '" + field + "'");
        }
      }
      if (type == null || shape == null || offsets == null || offsets.length != 2) {
        throw unexpected(name, "not all of dtype, shape and two data_offsets");
      }
      return new Claim(type, DType.ofSafetensorsName(type), shape, offsets[0], offsets[1]);
    }

    private String type(String name) {
      expect(JsonToken.VALUE_STRING, name + ".dtype");
      String text = json.getString();
      if (DType.ofSafetensorsName(text).isEmpty() && otherByteSize(text) == 0) {
        throw unexpected(name, "the element type '" + text + "', not supported");
      }
      return text;
    }

    private long[] longs(String what, int most) {
      expect(JsonToken.START_ARRAY, what);
      List<Long> values = new ArrayList<>();
      while (json.nextToken() != JsonToken.END_ARRAY) {
        if (json.currentToken() != JsonToken.VALUE_NUMBER_INT
            || json.getNumberType() == JsonParser.NumberType.BIG_INTEGER
            || json.getLongValue() < 0) {
          throw unexpected(what, "something that is no number from 0 to 2^63 - 1");
        }
        if (values.size() == most) {
          throw unexpected(what, "more than " + most + " numbers");
        }
        values.add(json.getLongValue());
      }
      return values.stream().mapToLong(Long::longValue).toArray();
    }

    private void expect(JsonToken wanted, String what) {
      JsonToken found = json.nextToken();
      if (found != wanted) {
        throw unexpected(what, "%s where %s is expected".formatted(found, wanted));
      }
    }

    private FileException unexpected(String what, String found) {
      return bad(
          file, "has, for '%s', %s".formatted(Printable.of(what), Printable.of(found)), null);
    }
  }
}
