#!/usr/bin/env node
import './setup.mjs';
