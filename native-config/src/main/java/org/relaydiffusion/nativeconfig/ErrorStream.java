// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Reads LibTorch's error log as it is written, for builds that tell the reason of a failed call
 * nowhere else. The log goes to {@code std::cerr} on the thread that failed, a record at a time; so
 * a stream buffer of ours takes the place of that stream's, keeps each thread's last record, and
 * passes on to the buffer before it whatever is not from LibTorch's log.
 *
 * <p>The buffer is an object of libstdc++'s own class {@code std::streambuf} whose table of virtual
 * functions is a copy in which two entries lead to Java. They are found by the addresses of the
 * functions that stand there, so a library with another table is left alone. A flush stays
 * libstdc++'s own, which does nothing, as the library flushes while the process ends, where Java
 * cannot be called; what is passed on is flushed at once instead. Since the log calls Java, a C
 * function that may fail must not be called with {@link Linker.Option#critical(boolean)}: the
 * virtual machine ends the process then.
 */
final class ErrorStream implements ErrorText {
  private static final String BUFFER = "St15basic_streambufIcSt11char_traitsIcEE";
  private static final String IOS = "St9basic_iosIcSt11char_traitsIcEE";
  private static final FunctionDescriptor WRITE =
      FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
  private static final FunctionDescriptor OVERFLOW =
      FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_INT);
  private static final FunctionDescriptor SYNC = FunctionDescriptor.of(JAVA_INT, JAVA_LONG);

  // A pointer to the table, six pointers into the text, and a std::locale.
  private static final long BUFFER_BYTES = 128;
  // What stands above the first virtual function: an offset and the type's description.
  private static final int HEADER = 2;
  private static final int FUNCTIONS = 14;
  private static final int END_OF_FILE = -1;

  /** [E1128 20:37:54.805498027 shim_common.cpp:507] text, with [rank0]: before it in a group. */
  private static final Pattern RECORD =
      Pattern.compile("(?:\\[rank\\d+]:)?\\[([FEWIV])\\d{4} [^]]*] (.*)", Pattern.DOTALL);

  private static final String FAILED_CALL = "Exception in aoti_torch: ";
  private static final String NO_REASON = "UNKNOWN";

  /** What becomes of LibTorch's log beside being read. */
  enum Log {
    /** Its errors are not printed. */
    SILENT,
    /** It is printed as it would be. */
    PRINTED
  }

  private final ThreadLocal<@Nullable String> words = new ThreadLocal<>();
  private final Log log;
  private final SymbolLookup symbols;
  private final MemorySegment ios;
  private final MemorySegment original;
  private final MemorySegment buffer;

  /** Places in the table. */
  private final int write;

  private final int sync;
  private final MethodHandle writeOn;
  private final MethodHandle syncOn;

  private static final class Unknown extends Exception {
    private static final long serialVersionUID = 1L;
  }

  private ErrorStream(SymbolLookup symbols, Log log) throws Unknown, ReflectiveOperationException {
    this.symbols = symbols;
    this.log = log;
    ios = CppStreams.ios(function("_ZSt4cerr"));
    original = (MemorySegment) Downcall.call(get(), FunctionDescriptor.of(ADDRESS, ADDRESS), ios);
    Arena arena = Arena.global();
    buffer = arena.allocate(BUFFER_BYTES, ADDRESS.byteAlignment());
    Downcall.run(function("_ZN" + BUFFER + "C2Ev"), FunctionDescriptor.ofVoid(ADDRESS), buffer);
    MemorySegment table = arena.allocate(ADDRESS, HEADER + FUNCTIONS);
    long header = buffer.get(JAVA_LONG, 0) - HEADER * ADDRESS.byteSize();
    table.copyFrom(MemorySegment.ofAddress(header).reinterpret(table.byteSize()));
    write = place(table, "_ZN" + BUFFER + "6xsputnEPKcl");
    sync = place(table, "_ZN" + BUFFER + "4syncEv");
    int overflow = place(table, "_ZN" + BUFFER + "8overflowEi");
    Linker linker = Linker.nativeLinker();
    writeOn = linker.downcallHandle(WRITE);
    syncOn = linker.downcallHandle(SYNC);
    table.setAtIndex(ADDRESS, write, stub("write", WRITE, arena));
    table.setAtIndex(ADDRESS, overflow, stub("overflow", OVERFLOW, arena));
    buffer.set(JAVA_LONG, 0, table.address() + HEADER * ADDRESS.byteSize());
  }

  /**
   * Begins to read the log.
   *
   * @return empty where the C++ library is another than libstdc++, or not one that is known here
   */
  static Optional<ErrorText> install(SymbolLookup symbols, Log log) {
    try {
      ErrorStream stream = new ErrorStream(symbols, log);
      // The C++ library may still write while the process ends, when Java cannot be called.
      Runtime.getRuntime().addShutdownHook(new Thread(stream::restore, "rdm-error-stream"));
      stream.put(stream.buffer);
      return Optional.of(stream);
    } catch (Unknown | ReflectiveOperationException | IllegalStateException e) {
      return Optional.empty();
    }
  }

  @Override
  public @Nullable String last() {
    String text = words.get();
    words.remove();
    return text;
  }

  private void restore() {
    NativeLog.setLevel(symbols, NativeLog.FATAL);
    try {
      Object now = Downcall.call(get(), FunctionDescriptor.of(ADDRESS, ADDRESS), ios);
      if (now instanceof MemorySegment segment && segment.address() == buffer.address()) {
        put(original);
      }
    } catch (Unknown e) {
      throw new IllegalStateException(e);
    }
  }

  private MemorySegment get() throws Unknown {
    return function("_ZNK" + IOS + "5rdbufEv");
  }

  private void put(MemorySegment streamBuffer) throws Unknown {
    Downcall.call(
        function("_ZN" + IOS + "5rdbufEPSt15basic_streambufIcS1_E"),
        FunctionDescriptor.of(ADDRESS, ADDRESS, ADDRESS),
        ios,
        streamBuffer);
  }

  private MemorySegment function(String name) throws Unknown {
    return symbols.find(name).orElseThrow(Unknown::new);
  }

  private int place(MemorySegment table, String name) throws Unknown {
    MemorySegment function = function(name);
    for (int i = HEADER; i < HEADER + FUNCTIONS; i++) {
      if (table.getAtIndex(JAVA_LONG, i) == function.address()) {
        return i;
      }
    }
    throw new Unknown();
  }

  private MemorySegment stub(String method, FunctionDescriptor descriptor, Arena arena)
      throws ReflectiveOperationException {
    MethodType type = descriptor.toMethodType();
    MethodHandle target =
        MethodHandles.lookup().findVirtual(ErrorStream.class, method, type).bindTo(this);
    return Linker.nativeLinker().upcallStub(target, descriptor, arena);
  }

  /** {@code xsputn}: an exception that left it would end the process. */
  @SuppressWarnings("unused") // called from C++
  private long write(long self, long text, long count) {
    try {
      MemorySegment bytes = MemorySegment.ofAddress(text).reinterpret(count);
      if (count > 0 && bytes.get(JAVA_BYTE, 0) == '[' && isConsumed(bytes)) {
        return count;
      }
      return writeThrough(text, count);
    } catch (Throwable e) {
      return count;
    }
  }

  /** {@code overflow}: one character. */
  @SuppressWarnings("unused") // called from C++
  private int overflow(long self, int character) {
    try (Arena arena = Arena.ofConfined()) {
      if (character == END_OF_FILE) {
        return 0;
      }
      MemorySegment one = arena.allocateFrom(JAVA_BYTE, (byte) character);
      return writeThrough(one.address(), 1) == 1 ? character & 0xff : END_OF_FILE;
    } catch (Throwable e) {
      return character & 0xff;
    }
  }

  /** Writes to the buffer that was there before, and flushes it. */
  private long writeThrough(long text, long count) throws Throwable {
    long written = (long) writeOn.invokeExact(entry(write), original.address(), text, count);
    int _ = (int) syncOn.invokeExact(entry(sync), original.address());
    return written;
  }

  /** A virtual function of the buffer that was there before. */
  private MemorySegment entry(int place) {
    long table = original.reinterpret(ADDRESS.byteSize()).get(JAVA_LONG, 0);
    return MemorySegment.ofAddress(table + (place - HEADER) * ADDRESS.byteSize())
        .reinterpret(ADDRESS.byteSize())
        .get(ADDRESS, 0);
  }

  /** Keeps the reason of a failed call, and says whether the text ends here. */
  private boolean isConsumed(MemorySegment bytes) {
    String text = new String(bytes.toArray(JAVA_BYTE), StandardCharsets.UTF_8);
    Matcher record = RECORD.matcher(text);
    if (!record.matches()) {
      return false;
    }
    String message = record.group(2);
    if (message.startsWith(FAILED_CALL)) {
      words.set(
          ErrorText.reason(message.substring(FAILED_CALL.length()))
              .filter(reason -> !reason.equals(NO_REASON))
              .orElse(null));
    }
    return log == Log.SILENT && record.group(1).equals("E");
  }
}
