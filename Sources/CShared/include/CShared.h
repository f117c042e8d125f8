/* Memory that the processes of a host share. */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* The descriptor of so much memory that no file stands for, zeros; -1 where there is none to be had. */
int shared_create(size_t bytes);

/* How many of `values`, which so many ranks are to sum, this process puts into the sum: all `count`. A program that makes
   faults on purpose has a function of its own in the place of this one. */
long shared_put(int64_t *values, long count, long ranks);
