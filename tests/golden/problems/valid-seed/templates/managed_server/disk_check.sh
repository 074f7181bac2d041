#!/bin/sh
df
