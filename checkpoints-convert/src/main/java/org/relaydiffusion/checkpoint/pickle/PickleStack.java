// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint.pickle;

import java.util.ArrayList;
import java.util.List;

/**
 * The stack of the unpickling machine, with its marks. Nothing below the last mark can be popped.
 */
final class PickleStack {
  private static final int MOST_MARKS = 1000;

  private final ArrayList<Object> items = new ArrayList<>();
  private final ArrayList<Integer> marks = new ArrayList<>();
  private int floor;

  void push(Object value) {
    items.add(value);
  }

  Object pop() {
    if (items.size() <= floor) {
      throw new BadPickleException("takes a value from an empty stack");
    }
    return items.removeLast();
  }

  Object peek() {
    if (items.size() <= floor) {
      throw new BadPickleException("requires a value on an empty stack");
    }
    return items.getLast();
  }

  void mark() {
    if (marks.size() == MOST_MARKS) {
      throw new BadPickleException("nests more than %s levels".formatted(MOST_MARKS));
    }
    marks.add(floor);
    floor = items.size();
  }

  /** Pops everything above the last mark, and the mark. */
  List<Object> popToMark() {
    if (marks.isEmpty()) {
      throw new BadPickleException("requires a mark, but there is none");
    }
    List<Object> above = items.subList(floor, items.size());
    List<Object> taken = new ArrayList<>(above);
    above.clear();
    floor = marks.removeLast();
    return taken;
  }

  /** The opcode POP: pops a value, or the mark if there is none above it. */
  void discard() {
    if (items.size() > floor) {
      items.removeLast();
    } else {
      popToMark();
    }
  }

  boolean isEmpty() {
    return items.isEmpty() && marks.isEmpty();
  }
}
