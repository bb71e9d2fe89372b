import { adventureWorks } from './adventure-works.js';
import type { Layout } from './layout.js';
import { onlineRetail } from './online-retail.js';

export const layouts: Readonly<Record<string, Layout>> = {
  'adventure-works': adventureWorks,
  'online-retail': onlineRetail,
};
