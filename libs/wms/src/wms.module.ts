import { Module } from '@nestjs/common';
import { WarehouseScope } from './warehouses/warehouse-scope.service.js';

@Module({
  controllers: [],
  providers: [WarehouseScope],
})
export class WmsModule {}
