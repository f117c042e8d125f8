/* Memory that the processes of a host share. */
#pragma once
#include <stddef.h>

/* The descriptor of so much memory that no file stands for, zeros; -1 where there is none to be had. */
int shared_create(size_t bytes);

/* How many of the `count` values that a sum should have this process puts into it: all of them. A program that makes faults
   on purpose has a function of its own in the place of this one. */
long shared_values(long count);
